//! The example of every function is a dialplan that loads on the exchange as it ships.

use dialplan::{Generation, Limits, Names, functions};

use crate::ladder;

/// The prompts and phones of an exchange that was just started for the first time.
fn shipped() -> Names {
    let table = include_str!("../../../../prompts/en.tsv");
    let prompts = table.lines().filter(|line| !line.starts_with('#'));
    let prompts = prompts.filter_map(|line| line.split_once('\t'));
    let prompts = prompts.map(|(name, _)| format!("en/{name}"));
    let music = ["evening", "waltz", "river"].map(|name| format!("music/{name}"));
    let numbers: Vec<String> = (100..110).map(|number| number.to_string()).collect();
    Names {
        prompts: prompts.chain(music).collect(),
        extensions: numbers.iter().cloned().collect(),
        mailboxes: numbers.into_iter().collect(),
        language: "en".into(),
        speech: true,
    }
}

#[test]
fn every_example_loads_on_the_exchange_as_it_ships() {
    for spec in functions() {
        let sources = ladder::sources(&[("main.lua", spec.example)]);
        let loaded = Generation::load(&sources, shipped(), Limits::default(), &ladder::now());
        if let Err(errors) = loaded {
            panic!("the example of {}: {}", spec.full_name(), errors[0]);
        }
    }
}
