//! Which route a number finds.

use dialplan::{Limits, Match};

use crate::ladder::{generation, load};

#[test]
fn the_most_specific_route_wins_wherever_it_stands() {
    let generation = generation(
        "local function h() end
         route('.', { public = true }, h)
         route('1XX', h)
         route('10X', h)
         route('101', h)
         route(600, h)
         route('support', h)
         route('[1-4]9', h)
         route('[2-5]9', h)",
        Limits::default(),
    );
    let found = |number| match generation.match_number(number) {
        Match::Route(route) => {
            let info = &generation.routes()[generation
                .routes()
                .iter()
                .position(|info| {
                    generation.is_public(route) == info.public
                        && format!("{route:?}").contains(&format!("({})", info.line - 2))
                })
                .unwrap()];
            info.pattern.clone()
        }
        Match::Incomplete => "incomplete".into(),
        Match::None => "none".into(),
    };
    for (number, pattern) in [
        ("101", "101"),
        ("102", "10X"),
        ("122", "1XX"),
        ("1222", "."),
        ("600", "600"),
        ("support", "support"),
        ("suport", "."),
        ("29", "[1-4]9"),
        ("59", "[2-5]9"),
        ("", "incomplete"),
    ] {
        assert_eq!(found(number), pattern, "{number}");
    }
}

#[test]
fn a_number_that_could_go_on_is_incomplete() {
    let generation =
        generation("route('1XX', print) route('9.', print) route('bob', print)", Limits::default());
    for (number, expected) in [
        ("1", Match::Incomplete),
        ("9", Match::Incomplete),
        ("bo", Match::None),
        ("2", Match::None),
        ("1234", Match::None),
    ] {
        assert_eq!(generation.match_number(number), expected, "{number}");
    }
}

#[test]
fn a_route_that_can_never_match_is_an_error() {
    let errors = load("route('[0-9]00', print)\nroute('X00', print)").unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "scripts/main.lua:2: route: \"X00\" can never match: \"[0-9]00\" at scripts/main.lua:1 \
         matches the same numbers"
    );
}
