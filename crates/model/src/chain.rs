//! Errors in one line.

/// An error with all its causes, each said once.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("inner")]
    struct Inner;

    #[derive(Debug, thiserror::Error)]
    enum Outer {
        #[error("outer: {0}")]
        Said(#[source] Inner),
        #[error("outer")]
        Unsaid(#[source] Inner),
    }

    #[test]
    fn every_cause_is_said_once() {
        assert_eq!(chain(&Outer::Said(Inner)), "outer: inner");
        assert_eq!(chain(&Outer::Unsaid(Inner)), "outer: inner");
    }
}
