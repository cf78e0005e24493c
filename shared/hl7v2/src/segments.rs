//! Typed views of the segments in use: HL7 v2.5.1, with the fields later versions added and earlier ones had.
//!
//! A view is a [`Segment`](crate::Segment) with names. A getter of a field that repeats gives its
//! repetitions, one of a field that holds one value gives the first; both pass over empty repetitions, and
//! keep nulls, which say something. Fields a view does not name are in
//! [`SegmentView::segment`](crate::SegmentView::segment).

mod clinical;
mod control;
mod financial;
mod insurance;
mod orders;
mod patient;
mod pharmacy;
mod results;
mod scheduling;
mod visit;

pub use clinical::*;
pub use control::*;
pub use financial::*;
pub use insurance::*;
pub use orders::*;
pub use patient::*;
pub use pharmacy::*;
pub use results::*;
pub use scheduling::*;
pub use visit::*;

/// Declares views: each field by number, name, type (`[T]` when it repeats) and meaning.
macro_rules! segments {
    ($($(#[$doc:meta])* $name:ident $code:literal { $($n:literal $field:ident: $type:tt $text:literal;)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name<'m>($crate::Segment<'m>);

        impl<'m> $name<'m> {
            $($crate::segments::getter! { $code $n $field $type $text })*
        }

        impl<'m> $crate::SegmentView<'m> for $name<'m> {
            const NAME: $crate::location::SegmentName = match $crate::location::SegmentName::new($code) {
                Some(name) => name,
                None => panic!("the name of a segment is three upper-case letters or digits"),
            };

            fn of(segment: $crate::Segment<'m>) -> Option<Self> {
                (segment.name() == Self::NAME).then_some(Self(segment))
            }

            fn segment(self) -> $crate::Segment<'m> {
                self.0
            }
        }
    )*};
}

macro_rules! getter {
    ($code:literal $n:literal $field:ident [$type:ident] $text:literal) => {
        #[doc = concat!($code, "-", stringify!($n), ": ", $text, ". Repeats.")]
        pub fn $field(self) -> impl Iterator<Item = $type<'m>> + Clone {
            self.0.field($n).filled().map(Into::into)
        }
    };
    ($code:literal $n:literal $field:ident $type:ident $text:literal) => {
        #[doc = concat!($code, "-", stringify!($n), ": ", $text, ".")]
        pub fn $field(self) -> $type<'m> {
            self.0.field($n).first().into()
        }
    };
}
use {getter, segments};
