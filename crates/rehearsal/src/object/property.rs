//! `t:forall`: many cases, and the smallest that fails.

use std::rc::Rc;

use dialplan::aside::Stop;
use mlua::{Function, Lua};

use super::T;
use crate::given::Given;
use crate::property::{Choices, Generator, shrink};
use crate::session::{Failed, Problem, Session};
use crate::show::show;
use crate::verdict::{Case, Failure, Spot};
use crate::worker::{CASE, befores};

pub(super) fn forall(lua: &Lua, session: &Rc<Session>, given: &Given) -> Result<(), Problem> {
    let cases = Generator::from_value(given.value("cases"))?;
    let function = given.function("function")?;
    let runs = given.whole("runs")?.and_then(|runs| u64::try_from(runs).ok()).unwrap_or_default();
    let property = Property { lua, session, cases, function };
    for run in 0..runs {
        let seed = session.seed() ^ (run + 1).wrapping_mul(GOLDEN);
        let mut choices = Choices::by_chance(seed);
        let Some(failure) = property.fails(&mut choices, seed)? else { continue };
        let place = failure.at.clone();
        let (smallest, simplified) = shrink(choices.into_made(), SHRINKS_MAX, |case| {
            let mut choices = Choices::given(case.to_vec());
            let failure = property.fails(&mut choices, seed).ok()??;
            is_alike(&failure.at, &place).then(|| choices.into_made())
        });
        let mut choices = Choices::given(smallest.clone());
        let value = show(&property.cases.make(lua, &mut choices)?);
        let mut choices = Choices::given(smallest);
        let mut failure = property.fails(&mut choices, seed)?.unwrap_or(failure);
        let run = usize::try_from(run).unwrap_or(usize::MAX) + 1;
        failure.case = Some(Case { value, run, simplified });
        return Err(Problem::Raised(mlua::Error::external(Failed(failure))));
    }
    Ok(())
}

/// Something that should hold for all cases.
struct Property<'a> {
    lua: &'a Lua,
    session: &'a Rc<Session>,
    cases: Generator,
    function: Function,
}

impl Property<'_> {
    /// Runs one case in an office of its own; gives back how it failed, if it did.
    fn fails(&self, choices: &mut Choices, seed: u64) -> Result<Option<Box<Failure>>, Problem> {
        let case = self.cases.make(self.lua, choices)?;
        let session = self.session.afresh(seed);
        let t = T::value(self.lua, &session)?;
        let aside = session.aside()?;
        let ran = befores(self.lua)?
            .iter()
            .try_for_each(|before| aside.run(before, t.clone(), CASE).map(|_| ()))
            .and_then(|()| aside.run(&self.function, (t, case), CASE));
        let failure = match ran {
            Ok(_) => session.finish().err().map(|problem| session.failure(problem)),
            Err(stop) => Some(explain(&session, stop)),
        };
        self.session.take_over(&session);
        session.close();
        Ok(failure.map(Box::new))
    }
}

/// What stopped a function, with all that happened in its office.
pub(crate) fn explain(session: &Session, stop: Stop) -> Failure {
    match stop {
        Stop::Spent(error) => {
            let mut failure = Failure {
                instead: format!("the test {}", error.message),
                at: error.line.map(|line| session.spot(&error.file, line)).into_iter().collect(),
                ..Failure::default()
            };
            session.tell_story(&mut failure);
            failure
        }
        Stop::Raised(error) => match error.downcast_ref::<Failed>() {
            Some(failed) => (*failed.0).clone(),
            None => {
                let mut failure = Failure::default();
                session.explain(&error, &mut failure);
                session.tell_story(&mut failure);
                failure
            }
        },
    }
}

/// Whether two failures are the same one: a smaller case must not lead to another.
fn is_alike(one: &[Spot], other: &[Spot]) -> bool {
    one.first() == other.first()
}

/// Spreads seeds that follow each other (the golden ratio, as a fraction of 2^64).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
/// Simpler cases that are tried.
const SHRINKS_MAX: usize = 500;
