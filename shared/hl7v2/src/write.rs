//! Writing messages: new ones with [`MessageBuilder`], changed ones with [`Editor`].
//!
//! Text is escaped as it is written, so no value can end its field, its segment or the MLLP frame around it.
//! What is not written by name is not written: there are no defaults and no clock here.

mod builder;
mod content;
mod editor;

pub use builder::{MessageBuilder, SegmentBuilder};
pub use content::Content;
pub use editor::Editor;
