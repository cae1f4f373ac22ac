//! The raw request an adapter verifies.

use http::{HeaderMap, Method};

/// A request before anything was decoded: exactly the bytes that came.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a Method,
    /// What stands behind the account in the path, if anything does; never kept, never shown.
    pub path_token: Option<&'a str>,
    /// The query without its question mark.
    pub query: Option<&'a str>,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// All values of a header as text; a value that is not visible ASCII counts as unreadable and is `None`.
    pub fn header(&self, name: &str) -> impl Iterator<Item = Option<&'a str>> {
        self.headers.get_all(name).iter().map(|value| value.to_str().ok())
    }
}
