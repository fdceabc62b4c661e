//! Tests of a dialplan, written in Lua and run on a whole exchange in virtual time.
//!
//! [`run`] runs a [`Suite`] of test files on a [`Stage`]; a [`Reporter`] tells of each test. Every
//! test has a [`bench::Office`] and a fresh reading of its file to itself, so that none depends on
//! another, and from one seed the same follows every time.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::wildcard_enum_match_arm
    )
)]

mod api;
mod coverage;
mod entry;
mod given;
mod object;
mod outside;
mod property;
mod report;
mod run;
mod session;
mod show;
mod stage;
mod verdict;
mod wall;
mod worker;

pub use api::{TEST_CLASSES, TEST_LIBRARIES};
pub use coverage::{lcov, listing, summary as coverage_summary};
pub use report::{Human, JUnit, Reporter, Style, Tap};
pub use run::{Options, Run, list, run};
pub use stage::{Stage, Suite, TestFile};
pub use verdict::{Case, Failure, Report, Spot, Summary, Verdict};
pub use worker::{Listed, SHARED};
