//! The raw request an adapter verifies.

use http::{HeaderMap, Method};

use crate::error::Rejection;

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

    /// The one value of a header that proves something; two are refused, for which of them counts is anybody's guess.
    pub(crate) fn sole_header(&self, name: &str) -> Result<Option<&'a str>, Rejection> {
        let mut values = self.header(name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Rejection::RepeatedHeader),
            (Some(None), None) => Err(Rejection::MalformedSignature { expected: "visible ASCII" }),
            (Some(value), None) => Ok(value),
            (None, None) => Ok(None),
        }
    }
}
