//! The rules of a merge, one test each.
