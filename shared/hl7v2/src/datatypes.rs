//! The composite data types as typed views: HL7 v2.5.1 chapter 2A, with the components later versions added.
//!
//! A view is a [`Value`] with names: `cx.assigning_authority().namespace_id().text()`. It reads only what it
//! is asked for, and a component that is not there is empty. Simple types (ST, ID, IS, NM, SI, TX, FT, DTM)
//! stay [`Value`]s.

mod code;
mod identity;
mod measure;
mod place;
mod technical;

pub use code::*;
pub use identity::*;
pub use measure::*;
pub use place::*;
pub use technical::*;

use crate::value::Value;

/// A data type that is a view of a [`Value`].
pub trait Datatype<'m>: Copy + From<Value<'m>> {
    /// The value behind the view: its raw text, its place, components it does not name.
    fn value(self) -> Value<'m>;

    /// Nothing stands there.
    fn is_empty(self) -> bool {
        self.value().is_empty()
    }

    /// It is `""`: the sender says to remove the value.
    fn is_null(self) -> bool {
        self.value().is_null()
    }
}

impl<'m> Datatype<'m> for Value<'m> {
    fn value(self) -> Value<'m> {
        self
    }
}

/// Declares views: each component by number, name and type.
macro_rules! datatypes {
    ($($(#[$doc:meta])* $name:ident { $($n:literal $part:ident: $type:ident $text:literal;)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name<'m>($crate::value::Value<'m>);

        impl<'m> $name<'m> {
            $(
                #[doc = concat!(stringify!($n), ": ", $text, ".")]
                pub fn $part(self) -> $type<'m> {
                    self.0.part($n).into()
                }
            )*
        }

        impl<'m> From<$crate::value::Value<'m>> for $name<'m> {
            fn from(value: $crate::value::Value<'m>) -> Self {
                Self(value)
            }
        }

        impl<'m> $crate::datatypes::Datatype<'m> for $name<'m> {
            fn value(self) -> $crate::value::Value<'m> {
                self.0
            }
        }
    )*};
}
use datatypes;
