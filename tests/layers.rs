//! Holds the code to its layers by reading it: who may use whom, what the pure layers and the others
//! must not name, and how a file is laid out.

#[path = "layers/modules.rs"]
mod modules;
#[path = "layers/source.rs"]
mod source;

use std::fs;
use std::path::Path;

use modules::{Crate, Module, circles};
use source::Source;

/// Each layer uses itself, without circles, and those before it.
const LAYERS: [&[&str]; 7] = [
    &["text", "calendar", "media", "pattern", "object", "policy", "records"],
    &["decide", "lifecycle", "lint"],
    &["plan", "targets", "audit"],
    &["s3", "evidence", "inventory"],
    &["survey", "report"],
    &["apply"],
    &["cli"],
];
const PURE_LAYERS: usize = 3;
/// Pure as well, though it uses what a layer of IO owns: the entries of the evidence.
const PURE_APART: [&str; 1] = ["report"];
/// The sandbox checks the other layers and so shares no code with them; only the commands start it.
const APART: &str = "sandbox";
const APART_USES: [&str; 1] = ["calendar"];
const USE_APART: &str = "cli";
/// Where the types of the SDK stay.
const SDK: &str = "s3";
/// Everybody else is told what time it is.
const READS_THE_CLOCK: &str = "cli";

const MAX_LINES: usize = 400;

const IMPURE_PATHS: [&[&str]; 9] = [
    &["tokio"],
    &["rand"],
    &["std", "fs"],
    &["std", "net"],
    &["std", "env"],
    &["std", "process"],
    &["std", "io", "stdin"],
    &["std", "io", "stdout"],
    &["std", "io", "stderr"],
];
const IMPURE_MACROS: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];
const TIMERS: [[&str; 2]; 4] =
    [["time", "SystemTime"], ["time", "Instant"], ["Instant", "now"], ["SystemTime", "now"]];
const CLOCKS: [[&str; 2]; 3] = [["Utc", "now"], ["Local", "now"], ["SystemTime", "now"]];

fn layer_of(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&name))
}

fn may_use(from: &str, to: &str) -> bool {
    match (from, to) {
        (APART, to) => APART_USES.contains(&to),
        (from, APART) => from == USE_APART,
        (from, to) => layer_of(to).is_some_and(|to| layer_of(from).is_some_and(|from| to <= from)),
    }
}

/// Every breach of the rules, each with its file.
fn breaches(code: &Crate) -> Vec<String> {
    let mut found = Vec::new();
    for (module, path, source) in code.files() {
        let Some(top) = module.first() else { continue };
        if layer_of(top).is_none() && top != APART {
            found.push(format!("{path}: `{top}` is in no layer; tests/layers.rs lists them"));
        }
        found.extend(forbidden_names(top, source).into_iter().map(|name| format!("{path}: names {name}")));
    }
    let uses = code.uses();
    for it in &uses {
        let (Some(from), Some(to)) = (it.from.first(), it.to.first()) else { continue };
        if from != to && !may_use(from, to) {
            found.push(format!("{}: `{from}` must not use `{to}`", code.path(&it.from)));
        }
    }
    found.extend(circles(&uses).into_iter().map(|circle| format!("a circle in {circle}")));
    found.sort();
    found.dedup();
    found
}

fn forbidden_names(top: &str, source: &Source) -> Vec<String> {
    let pure = PURE_APART.contains(&top) || layer_of(top).is_some_and(|layer| layer < PURE_LAYERS);
    let mut found = Vec::new();
    for named in &source.named {
        let path: Vec<&str> = named.path.iter().map(String::as_str).collect();
        let contains = |pairs: &[[&str; 2]]| path.windows(2).any(|pair| pairs.iter().any(|it| pair == it));
        let impure = IMPURE_PATHS.iter().any(|forbidden| path.starts_with(forbidden))
            || contains(&TIMERS)
            || path == ["std", "time", "*"];
        let reads_clock = contains(&CLOCKS);
        let sdk = path.first().is_some_and(|root| root.starts_with("aws_"));
        if pure && impure || reads_clock && top != READS_THE_CLOCK || sdk && top != SDK {
            found.push(format!("`{}`", path.join("::")));
        }
    }
    if pure {
        let printing = source.macros.iter().filter(|name| IMPURE_MACROS.contains(&name.as_str()));
        found.extend(printing.map(|name| format!("`{name}!`")));
    }
    found
}

fn misplaced(code: &Crate) -> Vec<String> {
    let mut found = Vec::new();
    for (_, path, source) in code.files() {
        if !source.begins_with_module_doc {
            found.push(format!("{path}: does not begin with a `//!` that says what it owns"));
        }
        if source.lines > MAX_LINES {
            found.push(format!("{path}: {} lines before its tests; at most {MAX_LINES}", source.lines));
        }
    }
    found
}

fn this_crate() -> Crate {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display())).path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text =
                    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let below_root = path.strip_prefix(&root).unwrap_or(&path);
                files.push((below_root.to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
    Crate::new(files)
}

#[test]
fn every_module_keeps_to_its_layer() {
    let found = breaches(&this_crate());
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_file_says_what_it_owns_and_fits_on_one_screen_of_ideas() {
    let found = misplaced(&this_crate());
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_layer_named_here_exists() {
    let code = this_crate();
    let tops: Vec<&Module> = code.files().map(|(module, ..)| module).filter(|it| it.len() == 1).collect();
    for name in LAYERS.into_iter().flatten().chain([&APART]) {
        assert!(tops.iter().any(|module| module[0] == *name), "there is no module `{name}`");
    }
}

/// The check itself, on code that must not pass, and on code that looks as if it must not.
mod the_check {
    use super::*;

    fn found_in(files: &[(&str, &str)]) -> Vec<String> {
        breaches(&Crate::new(files.iter().map(|(path, text)| (path.to_string(), text.to_string()))))
    }

    #[test]
    fn finds_a_use_of_a_later_layer_in_any_form() {
        let others = [("s3/mod.rs", "pub struct Store;"), ("apply/mod.rs", "")];
        for text in [
            "use crate::s3;",
            "use crate::s3::Store;",
            "use crate::{records::A, s3::{self, Store}};",
            "use crate::s3 as store;",
            "pub(crate) use crate::s3::*;",
            "fn f() { let _ = crate::s3::Store; }",
            "fn f(_: &'static crate::s3::Store) {}",
            "fn f() { let _ = ('\"', crate::s3::Store, '\"'); }",
            "use super::super::s3::Store;",
            "mod inner { use super::super::super::s3::Store; }",
            "#[cfg(not(test))] use crate::s3::Store;",
            "#[cfg(test)] mod tests { use crate::apply; } use crate::s3::Store;",
        ] {
            let found = found_in(&[others[0], others[1], ("policy/text.rs", text)]);
            assert_eq!(found, ["policy/text.rs: `policy` must not use `s3`"], "{text}");
        }
    }

    #[test]
    fn finds_no_use_in_strings_comments_and_tests() {
        let others = [("s3/mod.rs", "pub struct Store;")];
        for text in [
            "//! Unlike [`crate::s3`].",
            "/* crate::s3 /* crate::s3 */ crate::s3 */",
            "const A: &str = \"crate::s3::Store \\\" crate::s3\";",
            "const A: &str = r#\"crate::s3 \" crate::s3\"#;",
            "#[cfg(test)] mod tests { use crate::s3::Store; }",
            "#[cfg(test)] use crate::s3::Store;",
            "#[cfg(all(test, feature = \"sandbox\"))] fn f() { crate::s3::f() }",
            "#![cfg(test)] use crate::s3::Store;",
            "use other::s3::Store;",
        ] {
            let found = found_in(&[others[0], ("policy/text.rs", text)]);
            assert!(found.is_empty(), "{text}: {found:?}");
        }
    }

    #[test]
    fn leaves_out_files_that_are_compiled_for_tests_only() {
        let s3 = ("s3/mod.rs", "");
        let tests = ("policy/tests.rs", "use crate::s3;");
        assert!(found_in(&[s3, ("policy/mod.rs", "#[cfg(test)]\nmod tests;"), tests]).is_empty());
        assert_eq!(found_in(&[s3, ("policy/mod.rs", "mod tests;"), tests]).len(), 1);
    }

    #[test]
    fn keeps_the_sandbox_apart_from_both_sides() {
        let lifecycle = ("lifecycle/mod.rs", "");
        let borrows = found_in(&[lifecycle, ("sandbox/mod.rs", "use crate::lifecycle;")]);
        assert_eq!(borrows, ["sandbox/mod.rs: `sandbox` must not use `lifecycle`"]);
        let relies = found_in(&[("sandbox/mod.rs", ""), ("apply/mod.rs", "use crate::sandbox;")]);
        assert_eq!(relies, ["apply/mod.rs: `apply` must not use `sandbox`"]);
        let calendar = ("calendar.rs", "");
        let cli = ("cli/mod.rs", "use crate::sandbox;");
        assert!(found_in(&[calendar, ("sandbox/mod.rs", "use crate::calendar;"), cli]).is_empty());
    }

    #[test]
    fn finds_io_clocks_and_chance_in_a_pure_layer_and_allows_them_where_they_belong() {
        for (text, name) in [
            ("use tokio::time::sleep;", "tokio::time::sleep"),
            ("use tokio;", "tokio"),
            ("use std::{fmt, fs::File};", "std::fs::File"),
            ("fn f() { std::env::var(\"A\"); }", "std::env::var"),
            ("use std::net;", "std::net"),
            ("use std::time::{Duration, Instant};", "std::time::Instant"),
            ("use std::time::*;", "std::time::*"),
            ("fn f() { rand::random::<u8>(); }", "rand::random"),
            ("fn f() { std::io::stdout().lock(); }", "std::io::stdout"),
        ] {
            let expected = format!("plan/mod.rs: names `{name}`");
            assert_eq!(found_in(&[("plan/mod.rs", text)]), [expected], "{text}");
            assert!(found_in(&[("evidence/mod.rs", text)]).is_empty(), "{text}");
        }
        assert_eq!(found_in(&[("plan/mod.rs", "fn f() { println!() }")]), ["plan/mod.rs: names `println!`"]);
        let innocent = "use std::{io::Write, time::Duration}; enum When { Instant } use self::When::Instant;";
        assert!(found_in(&[("plan/mod.rs", innocent)]).is_empty());
    }

    #[test]
    fn finds_a_clock_that_is_read_outside_the_commands() {
        for clock in ["chrono::Utc::now()", "Local::now()", "SystemTime::now()"] {
            let text = format!("fn f() {{ {clock}; }}");
            assert_eq!(found_in(&[("apply/mod.rs", &text)]).len(), 1, "{clock}");
            assert!(found_in(&[("cli/mod.rs", &text)]).is_empty(), "{clock}");
        }
    }

    #[test]
    fn finds_the_sdk_outside_the_store() {
        let text = "use aws_sdk_s3::types::Object;";
        assert_eq!(found_in(&[("cli/mod.rs", text)]), ["cli/mod.rs: names `aws_sdk_s3::types::Object`"]);
        assert!(found_in(&[("s3/list.rs", text)]).is_empty());
    }

    #[test]
    fn finds_circles_within_a_layer_and_within_a_folder() {
        let layer = [("calendar.rs", "use crate::object::A;"), ("object.rs", "use crate::calendar::B;")];
        assert_eq!(found_in(&layer), ["a circle in the crate: calendar → object → calendar"]);
        let three = [
            ("policy/mod.rs", "mod a; mod b; mod c;"),
            ("policy/a.rs", "use super::b::B;"),
            ("policy/b.rs", "use crate::policy::c::C;"),
            ("policy/c/mod.rs", "mod d;"),
            ("policy/c/d.rs", "use super::super::a::A;"),
        ];
        assert_eq!(found_in(&three), ["a circle in policy: a → b → c → a"]);
    }

    #[test]
    fn follows_what_a_folder_passes_on_to_where_it_is_defined() {
        let a = ("policy/a.rs", "use super::{B, Renamed}; pub struct A;");
        let b = ("policy/b.rs", "use super::A; pub struct B; pub struct C;");
        for folder in [
            "mod a; mod b; pub use a::*; pub use b::{B, C as Renamed};",
            "mod a; mod b; use self::a::A; pub(crate) use self::b::{B, C as Renamed};",
        ] {
            let found = found_in(&[("policy/mod.rs", folder), a, b]);
            assert_eq!(found, ["a circle in policy: a → b → a"], "{folder}");
        }
    }

    #[test]
    fn finds_a_circle_between_a_folder_and_what_is_in_it_but_passing_on_makes_none() {
        let part = ("policy/part.rs", "use super::Owned;");
        let uses = ("policy/mod.rs", "mod part; pub struct Owned; fn f() { part::g() }");
        assert_eq!(found_in(&[uses, part]), ["a circle in policy: mod.rs → part → mod.rs"]);
        let passes_on = ("policy/mod.rs", "mod part; pub use part::g; pub struct Owned;");
        assert!(found_in(&[passes_on, part]).is_empty());
    }

    #[test]
    fn finds_a_module_that_has_no_layer() {
        let found = found_in(&[("helpers.rs", "")]);
        assert_eq!(found, ["helpers.rs: `helpers` is in no layer; tests/layers.rs lists them"]);
    }

    #[test]
    fn finds_files_that_are_too_long_or_do_not_say_what_they_own() {
        let tests = "#[cfg(test)]\nmod tests {\n".to_owned() + &"\n".repeat(MAX_LINES) + "}\n";
        let long = "//! Owns.\n".to_owned() + &"\n".repeat(MAX_LINES);
        let right = "//! Owns.\n".to_owned() + &"\n".repeat(MAX_LINES - 1) + &tests;
        let files = [("calendar.rs", long), ("object.rs", right), ("pattern.rs", "mod a;".to_owned())];
        let code = Crate::new(files.map(|(path, text)| (path.to_owned(), text)));
        assert_eq!(
            misplaced(&code),
            [
                "calendar.rs: 401 lines before its tests; at most 400",
                "pattern.rs: does not begin with a `//!` that says what it owns"
            ]
        );
    }
}
