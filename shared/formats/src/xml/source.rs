//! What quick-xml reads from: the window, with a limit on what it may take between two records.

use std::io::{self, BufRead, Read};

use crate::{
    error::{Error, Fault, XmlFault},
    input::Input,
    place::Place,
};

pub(crate) struct Source<R> {
    input: Input<R>,
    limit: usize,
    /// Bytes of text given since the last record.
    given: usize,
    /// What `Read` can't say.
    failed: Option<Error>,
}

impl<R: Read> Source<R> {
    pub(crate) fn new(input: Input<R>, limit: usize) -> Self {
        Self { input, limit, given: 0, failed: None }
    }

    pub(crate) fn input(&mut self) -> &mut Input<R> {
        &mut self.input
    }

    pub(crate) fn input_ref(&self) -> &Input<R> {
        &self.input
    }

    /// A record begins.
    pub(crate) fn begin(&mut self) {
        self.given = 0;
    }

    /// What stopped the reader at `place`.
    pub(crate) fn error(&mut self, place: Place, error: &quick_xml::Error) -> Error {
        if let Some(failed) = self.failed.take() {
            return failed;
        }
        Error::new(place, XmlFault::NotWellFormed(reason(error)).into())
    }
}

/// Without the names and values that quick-xml puts in its own messages.
pub(super) fn reason(error: &quick_xml::Error) -> &'static str {
    use quick_xml::{Error as E, errors::IllFormedError, errors::SyntaxError};
    match error {
        E::Syntax(SyntaxError::UnclosedTag) => "a tag is not closed",
        E::Syntax(SyntaxError::UnclosedComment) => "a comment is not closed",
        E::Syntax(SyntaxError::UnclosedCData) => "a CDATA section is not closed",
        E::Syntax(_) => "markup is not closed or not known",
        E::IllFormed(IllFormedError::MismatchedEndTag { .. }) => "an end tag does not match its start tag",
        E::IllFormed(IllFormedError::UnclosedReference) => "an `&` begins no reference: write `&amp;`",
        E::IllFormed(_) => "the markup is ill-formed",
        E::InvalidAttr(_) => "an attribute is not written as `name=\"value\"`, or is there twice",
        E::Escape(_) => "a reference is not one",
        _ => "it can't be read as XML",
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let read = available.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Source<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.given > self.limit {
            let fault = Fault::TooLong { limit: self.limit, quoted: false };
            self.failed = Some(self.input.error(fault));
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if self.input.rest().is_empty()
            && let Err(error) = self.input.more()
        {
            self.failed = Some(error);
            return Err(io::ErrorKind::Other.into());
        }
        Ok(self.input.rest().as_bytes())
    }

    fn consume(&mut self, amount: usize) {
        let lines = crate::json::count_lines(self.input.rest().get(..amount).unwrap_or_default());
        self.input.pass(amount, lines);
        self.given += amount;
    }
}
