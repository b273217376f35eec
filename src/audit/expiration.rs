//! `x-amz-expiration`: when a store says that it will remove an object, and by which rule.

use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;

/// What the header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiration {
    /// The date.
    pub date: DateTime<Utc>,
    /// The rule's id, decoded.
    pub rule: String,
}

/// Why a header says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpirationError {
    /// It is no list of `name="value"`.
    #[error("it is not of the form name=\"value\", …")]
    Form,
    /// A part stands twice.
    #[error("a part of it stands twice")]
    Twice,
    /// There is no `expiry-date`.
    #[error("it has no expiry-date")]
    NoDate,
    /// The date is none.
    #[error("its expiry-date is no date")]
    Date,
    /// There is no `rule-id`.
    #[error("it has no rule-id")]
    NoRule,
    /// The id is not encoded text.
    #[error("its rule-id is not text")]
    Rule,
}

impl Expiration {
    /// Reads the header. Parts come in any order, and parts with other names are skipped.
    pub fn parse(header: &str) -> Result<Self, ExpirationError> {
        let (mut date, mut rule) = (None, None);
        let mut rest = header.trim();
        while !rest.is_empty() {
            let (name, after) = rest.split_once("=\"").ok_or(ExpirationError::Form)?;
            let (value, after) = after.split_once('"').ok_or(ExpirationError::Form)?;
            let place = match name.trim().to_ascii_lowercase().as_str() {
                "expiry-date" => Some(&mut date),
                "rule-id" => Some(&mut rule),
                name if name.contains(['"', ',', '=']) => return Err(ExpirationError::Form),
                _ => None,
            };
            if place.is_some_and(|place| place.replace(value).is_some()) {
                return Err(ExpirationError::Twice);
            }
            let after = after.trim_start();
            rest = match after.strip_prefix(',') {
                Some(next) => next.trim_start(),
                None if after.is_empty() => after,
                None => return Err(ExpirationError::Form),
            };
        }
        let date = date.ok_or(ExpirationError::NoDate)?;
        let date = DateTime::parse_from_rfc2822(date).map_err(|_| ExpirationError::Date)?.to_utc();
        let rule = rule.ok_or(ExpirationError::NoRule)?;
        let rule = percent_decode_str(rule).decode_utf8().map_err(|_| ExpirationError::Rule)?;
        Ok(Self { date, rule: rule.into_owned() })
    }

    /// Whether this is the rule with this id. Some encoders write a space as a plus sign.
    pub fn is_by(&self, id: &str) -> bool {
        self.rule == id || (self.rule.contains('+') && self.rule.replace('+', " ") == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn date_and_rule_are_read_in_any_order_and_decoded() {
        let expected =
            Expiration { date: date("2026-12-24T00:00:00Z"), rule: "shelflife:acme:ott media:0a".to_owned() };
        for header in [
            r#"expiry-date="Thu, 24 Dec 2026 00:00:00 GMT", rule-id="shelflife%3Aacme%3Aott%20media%3A0a""#,
            r#"rule-id="shelflife:acme:ott media:0a",expiry-date="Thu, 24 Dec 2026 00:00:00 GMT""#,
            r#" Expiry-Date="Thu, 24 Dec 2026 00:00:00 +0000" , more="x, y=z", rule-id="shelflife%3aacme:ott%20media:0a", "#,
        ] {
            assert_eq!(Expiration::parse(header), Ok(expected.clone()), "{header}");
        }
    }

    #[test]
    fn a_header_that_says_half_or_garbage_says_nothing() {
        use ExpirationError::*;
        const DATE: &str = r#"expiry-date="Thu, 24 Dec 2026 00:00:00 GMT""#;
        for (header, error) in [
            (String::new(), NoDate),
            (DATE.to_owned(), NoRule),
            (r#"rule-id="a""#.to_owned(), NoDate),
            (format!(r#"{DATE}, {DATE}, rule-id="a""#), Twice),
            (format!(r#"{DATE}, rule-id="a"#), Form),
            (format!(r#"{DATE} rule-id="a""#), Form),
            (format!(r#"{DATE}, rule-id=a"#), Form),
            (r#"expiry-date="soon", rule-id="a""#.to_owned(), Date),
            (format!(r#"{DATE}, rule-id="%ff""#), Rule),
            ("NotImplemented".to_owned(), Form),
            (format!(r#"a"b="", {DATE}, rule-id="a""#), Form),
        ] {
            assert_eq!(Expiration::parse(&header), Err(error), "{header}");
        }
    }

    #[test]
    fn a_plus_sign_may_stand_for_a_space_or_for_itself() {
        let of = |rule: &str| Expiration { date: date("2026-12-24T00:00:00Z"), rule: rule.to_owned() };
        assert!(of("a+b").is_by("a+b") && of("a+b").is_by("a b") && of("a b").is_by("a b"));
        assert!(!of("a b").is_by("a+b") && !of("a").is_by("b"));
    }
}
