//! `check --explain CODE`: what a diagnostic means and what to do.

use crate::cli::exit::{Exit, Failure};
use crate::cli::output;
use crate::policy::Code;

/// How many codes are offered in place of one that does not exist.
const OFFERED: usize = 3;

/// Tells more about a code. `SL0101`, `sl101` and `101` are the same.
pub fn run(code: &str) -> Result<Exit, Failure> {
    let wanted = normal(code);
    match Code::ALL.iter().find(|known| known.id() == wanted) {
        Some(found) => {
            output::print(&output::wrap("", &format!("{}\n\n{}", found.id(), found.explanation())));
            Ok(Exit::Done)
        }
        None => {
            let shown = crate::text::terminal(code);
            let near: Vec<String> = near(&wanted).iter().map(|near| headline(*near)).collect();
            Err(Failure::usage(format!("there is no diagnostic {shown}"))
                .help(format!("codes look like SL0101; close to it:\n  {}", near.join("\n  "))))
        }
    }
}

fn headline(code: Code) -> String {
    let explanation = code.explanation();
    let first = explanation.split_once(". ").map_or(explanation, |(first, _)| first);
    format!("{}: {}", code.id(), first.trim_end_matches('.'))
}

fn normal(code: &str) -> String {
    let upper = code.trim().to_ascii_uppercase();
    let digits = upper.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '-');
    match digits.parse::<u16>() {
        Ok(number) => format!("SL{number:04}"),
        Err(_) => upper,
    }
}

/// Those with the fewest characters that differ, the closest numbers first.
fn near(wanted: &str) -> Vec<Code> {
    let number = |id: &str| id.trim_start_matches("SL").parse::<i64>().unwrap_or_default();
    let differing = |id: &str| {
        let same = id.bytes().zip(wanted.bytes()).filter(|(a, b)| a == b).count();
        id.len().max(wanted.len()) - same
    };
    let mut codes = Code::ALL.to_vec();
    codes.sort_by_key(|code| (differing(code.id()), (number(code.id()) - number(wanted)).abs()));
    codes.truncate(OFFERED);
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_however_it_is_written() {
        for written in ["SL0101", "sl0101", "SL101", "101", " 0101 ", "SL-0101"] {
            assert_eq!(normal(written), "SL0101", "{written}");
        }
        assert_eq!(normal("unknown"), "UNKNOWN");
    }

    #[test]
    fn the_closest_codes_are_offered_in_place_of_one_that_is_none() {
        let ids = |wanted| near(wanted).iter().map(|code| code.id()).collect::<Vec<_>>();
        assert!(ids("SL0112").contains(&"SL0111"), "{:?}", ids("SL0112"));
        assert_eq!(ids("SL0407X")[0], "SL0407");
        assert_eq!(ids("nonsense").len(), OFFERED);
    }
}
