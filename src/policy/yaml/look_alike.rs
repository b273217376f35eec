//! Plain scalars that one YAML reader or another takes for something other than text.

/// What some YAML reader could take the plain scalar `text` for, if not for text.
///
/// Wider than any one reader on purpose: YAML 1.1 and 1.2 differ, and readers differ again.
pub(in crate::policy) fn look_alike(text: &str) -> Option<&'static str> {
    const NOTHING: [&str; 3] = ["", "~", "null"];
    const BOOLEANS: [&str; 8] = ["true", "false", "yes", "no", "on", "off", "y", "n"];
    let one_of = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if one_of(&NOTHING) {
        Some("nothing")
    } else if one_of(&BOOLEANS) {
        Some("true or false")
    } else if is_date(text) {
        Some("a date")
    } else if is_number(text) {
        Some("a number")
    } else {
        None
    }
}

fn is_date(text: &str) -> bool {
    let day = text.split(['T', 't', ' ']).next().unwrap_or(text);
    let mut parts = day.split('-');
    let digits = |part: Option<&str>, lengths: &[usize]| {
        part.is_some_and(|p| lengths.contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
    };
    digits(parts.next(), &[4])
        && digits(parts.next(), &[1, 2])
        && digits(parts.next(), &[1, 2])
        && parts.next().is_none()
}

fn is_number(text: &str) -> bool {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let all = |text: &str, digit: fn(&u8) -> bool| {
        !text.is_empty() && text.bytes().all(|b| b == b'_' || digit(&b)) && text.bytes().any(|b| digit(&b))
    };
    let decimal = |text: &str| all(text, u8::is_ascii_digit);
    if [".inf", ".nan"].iter().any(|word| word.eq_ignore_ascii_case(body)) {
        return true;
    }
    if let Some((radix, digits)) = body.split_at_checked(2) {
        match radix {
            "0x" | "0X" => return all(digits, u8::is_ascii_hexdigit),
            "0o" | "0O" => return all(digits, |b| matches!(b, b'0'..=b'7')),
            "0b" | "0B" => return all(digits, |b| matches!(b, b'0' | b'1')),
            _ => {}
        }
    }
    let (mantissa, exponent) = body.split_once(['e', 'E']).map_or((body, None), |(m, e)| (m, Some(e)));
    if exponent.is_some_and(|e| !decimal(e.strip_prefix(['+', '-']).unwrap_or(e))) {
        return false;
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // `1:30` is ninety in YAML 1.1.
    let whole_is_number = whole.split(':').all(decimal);
    let fraction_is_number = fraction.is_empty() || decimal(fraction);
    fraction_is_number && (whole_is_number || (whole.is_empty() && !fraction.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_some_reader_takes_for_a_number_is_one() {
        for text in [
            "0815",
            "7",
            "-1",
            "+1",
            "1_000",
            "0x1F",
            "0o17",
            "0b11",
            "1e3",
            "1.5E-3",
            ".5",
            "5.",
            ".inf",
            "-.INF",
            ".nan",
            "1:30",
            "190:20:30",
            "1:30.5",
        ] {
            assert_eq!(look_alike(text), Some("a number"), "{text}");
        }
    }

    #[test]
    fn what_some_reader_takes_for_a_date_nothing_or_a_boolean_is_one() {
        for (text, kind) in [
            ("2027-01-31", "a date"),
            ("2027-1-3", "a date"),
            ("2027-01-31T00:00:00Z", "a date"),
            ("~", "nothing"),
            ("", "nothing"),
            ("Null", "nothing"),
            ("No", "true or false"),
            ("y", "true or false"),
        ] {
            assert_eq!(look_alike(text), Some(kind), "{text}");
        }
    }

    #[test]
    fn text_that_only_holds_digits_among_others_is_text() {
        for text in [
            "4711-a",
            "12ab",
            "e3",
            "1.2.3.4",
            "MSA-2025-118",
            "a",
            "-",
            ".",
            "_",
            "1e",
            "x:1",
            "0xZZ",
            "nope",
        ] {
            assert_eq!(look_alike(text), None, "{text}");
        }
    }
}
