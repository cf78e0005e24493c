//! Tests of the repository as a whole: its crate graph, and what its sources may say. They are in `tests/`.
