//! Examples of keys that several patterns match.

use proptest::prelude::*;

use super::*;
use crate::pattern::KeyPattern;

const PLENTY: Effort = Effort { left: 50_000_000, each: 50_000_000 };

fn pattern(text: &str) -> KeyPattern {
    KeyPattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn in_common(texts: &[&str], without: &[&str]) -> Found {
    let all: Vec<Shape> = texts.iter().map(|text| pattern(text).shape()).collect();
    let none: Vec<Vec<Shape>> = without.iter().map(|text| vec![pattern(text).shape()]).collect();
    example(&all, &none, 1024, &mut PLENTY.clone())
}

fn text(found: &str) -> Found {
    Found::Text(found.to_owned())
}

#[test]
fn two_patterns_have_a_shortest_text_in_common_or_none() {
    assert_eq!(in_common(&["inbound/**", "**/*.jpg"], &[]), text("inbound/.jpg"));
    assert_eq!(in_common(&["a/*/c", "a/b*/?"], &[]), text("a/b/c"));
    assert_eq!(in_common(&["a/*", "a/*/b"], &[]), Found::Nothing);
    assert_eq!(in_common(&["*.jpg", "*.png"], &[]), Found::Nothing);
    assert_eq!(in_common(&["{yyyy}/**", "20??/x"], &[]), text("2011/x"));
    assert_eq!(in_common(&["{yyyy}/**", "abcd/*"], &[]), Found::Nothing);
    assert_eq!(in_common(&["{tenant}/x", "**/x"], &[]), text("a/x"));
}

#[test]
fn what_is_left_out_is_left_out() {
    assert_eq!(in_common(&["**"], &["*", "a/**"]), text("/"));
    assert_eq!(in_common(&["a/*"], &["**"]), Found::Nothing);
    assert_eq!(in_common(&["a/**"], &["**/b", "a/"]), text("a/a"));
    let both = vec![pattern("a*").shape(), pattern("*b").shape()];
    assert_eq!(example(&[pattern("a?").shape()], &[both], 9, &mut PLENTY.clone()), text("aa"));
}

#[test]
fn a_capture_can_stand_for_a_text() {
    let shape = pattern("*/{tenant}/**").shape_with("tenant", "4711");
    let all = [shape, Shape::prefix("inbound/")];
    assert_eq!(example(&all, &[], 1024, &mut PLENTY.clone()), text("inbound/4711/"));
}

#[test]
fn an_extension_needs_a_name_before_it_and_no_certain_case() {
    let images = || Shape::extensions(["jpg", "png"].into_iter());
    let found = |other: Shape| example(&[images(), other], &[], 1024, &mut PLENTY.clone());
    assert_eq!(found(Shape::prefix("in/")), text("in/a.jpg"));
    assert_eq!(found(pattern("*.PNG").shape()), text("a.PNG"));
    assert_eq!(found(pattern("*.gif").shape()), Found::Nothing);
    assert_eq!(found(pattern("in/.png").shape()), Found::Nothing);
}

#[test]
fn no_key_is_longer_than_a_key_can_be() {
    let long = "x".repeat(1024);
    assert_eq!(in_common(&[&long, "*"], &[]), text(&long));
    assert_eq!(in_common(&[&format!("{long}y"), "*"], &[]), Found::Nothing);
    assert_eq!(in_common(&[&"x".repeat(5000), "*"], &[]), Found::Unclear);
}

#[test]
fn an_effort_that_does_not_suffice_says_nothing() {
    // Every set of the last forty places can be under way at once.
    let heavy = format!("**a{}", "?".repeat(40));
    let mut effort = Effort { left: 100_000, each: 100_000 };
    let found = example(
        &[pattern(&heavy).shape()],
        &[vec![pattern(&format!("**b{}", "?".repeat(39))).shape()], vec![pattern("**").shape()]],
        1024,
        &mut effort,
    );
    assert_eq!((found, effort.left), (Found::Unclear, 0));
}

fn token() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "/", ".", "*", "**", "?", "é", "0", "\\*"])
}

fn any_pattern() -> impl Strategy<Value = String> {
    (prop::collection::vec(token(), 1..7), prop::sample::select(vec!["", "{tenant}", "{dd}"]), 0..7_usize)
        .prop_map(|(mut tokens, capture, place)| {
            tokens.insert(place.min(tokens.len()), capture);
            tokens.concat()
        })
        .prop_filter("three stars read as two and one", |text| KeyPattern::parse(text).is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn an_example_matches_and_where_there_is_none_no_key_does(
        texts in prop::collection::vec(any_pattern(), 1..4),
        without in prop::collection::vec(any_pattern(), 0..3),
        keys in prop::collection::vec("[ab/.é01*]{0,7}", 40),
    ) {
        let all: Vec<KeyPattern> = texts.iter().map(|text| pattern(text)).collect();
        let none: Vec<KeyPattern> = without.iter().map(|text| pattern(text)).collect();
        let fits = |key: &str| {
            all.iter().all(|it| it.matches(key)) && !none.iter().any(|it| it.matches(key))
        };
        let shapes: Vec<Shape> = all.iter().map(KeyPattern::shape).collect();
        let left_out: Vec<Vec<Shape>> = none.iter().map(|it| vec![it.shape()]).collect();
        match example(&shapes, &left_out, 1024, &mut PLENTY.clone()) {
            Found::Text(key) => {
                prop_assert!(fits(&key), "{key:?}");
                let shorter = keys.iter().find(|other| {
                    other.chars().count() < key.chars().count() && fits(other)
                });
                prop_assert_eq!(shorter, None, "{:?}", key);
            }
            Found::Nothing => {
                prop_assert_eq!(keys.iter().find(|key| fits(key)), None);
            }
            Found::Unclear => prop_assert!(false, "so small a search must end"),
        }
    }
}
