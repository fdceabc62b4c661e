//! What is known to be true or false on a way through a function, from the branches it took.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's grammar is not ours; what is not looked at is passed over alike"
)]

use std::borrow::Cow;

use crate::syntax::{BinaryOperator, Expression, ExpressionKind, Span, Suffix, UnaryOperator};

/// Conditions that are kept in mind.
const CONDITIONS_MAX: usize = 16;
/// Longest condition that is.
const TEXT_MAX: usize = 120;

/// Conditions that hold, or do not.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions<'t>(Vec<Condition<'t>>);

#[derive(Debug, Clone)]
struct Condition<'t> {
    /// Without spaces.
    text: Cow<'t, str>,
    holds: bool,
    /// As it is written, and whether that holds.
    shown: (&'t str, bool),
    /// Whether it gives the same answer when it is asked again.
    lasting: bool,
    /// The local or global names in it.
    names: Vec<&'t str>,
}

/// What a condition tells where it is true, and where it is false.
struct Reader<'t> {
    source: &'t str,
}

impl<'t> Conditions<'t> {
    /// What holds on both ways.
    pub(super) fn common(mut self, other: &Self) -> Self {
        self.0.retain(|one| {
            other.0.iter().any(|other| other.text == one.text && other.holds == one.holds)
        });
        self
    }

    /// Nothing is known any more.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// A name has another value now.
    pub(super) fn change(&mut self, name: &str) {
        self.0.retain(|condition| !condition.names.contains(&name));
    }

    /// The condition learnt last, in words: `time.open("mon-fri") is false`.
    pub(super) fn last(&self) -> Option<String> {
        let (shown, holds) = self.0.last()?.shown;
        let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(format!("{shown} is {holds}"))
    }

    /// What is known where `condition` holds or does not; `None` when that cannot be.
    pub(super) fn branch(
        &self,
        source: &'t str,
        condition: &'t Expression<'t>,
        holds: bool,
    ) -> Option<Self> {
        let reader = Reader { source };
        if reader.known(self, condition, 0) == Some(!holds) {
            return None;
        }
        let mut known = self.clone();
        reader.learn(&mut known, condition, holds, 0);
        Some(known)
    }
}

/// Conditions in conditions that are looked into.
const NESTED_MAX: u32 = 8;

impl<'t> Reader<'t> {
    /// Whether a condition certainly holds.
    fn known(
        &self,
        known: &Conditions<'t>,
        condition: &'t Expression<'t>,
        depth: u32,
    ) -> Option<bool> {
        if depth > NESTED_MAX {
            return None;
        }
        match &condition.kind {
            ExpressionKind::Boolean(flag) => Some(*flag),
            ExpressionKind::Bracketed(inner) => self.known(known, inner, depth + 1),
            ExpressionKind::Unary { operators, operand } if is_not(operators) => {
                let inner = self.known(known, operand, depth + 1)?;
                Some(inner ^ (operators.len() % 2 == 1))
            }
            ExpressionKind::Binary { first, rest } => match connective(rest) {
                Some(operator) => {
                    // One that is false settles `and`, one that is true `or`.
                    let settles = operator == BinaryOperator::Or;
                    let mut all = Some(!settles);
                    let operands = std::iter::once(&**first).chain(rest.iter().map(|(_, o)| o));
                    for operand in operands {
                        match self.known(known, operand, depth + 1) {
                            Some(value) if value == settles => return Some(settles),
                            Some(_) => {}
                            None => all = None,
                        }
                    }
                    all
                }
                None => self.looked_up(known, condition),
            },
            _ => self.looked_up(known, condition),
        }
    }

    fn looked_up(&self, known: &Conditions<'t>, condition: &'t Expression<'t>) -> Option<bool> {
        let (atom, sign) = self.atom(condition, true)?;
        let found = known.0.iter().find(|one| one.text == atom.text && one.lasting);
        found.map(|one| one.holds == sign)
    }

    fn learn(
        &self,
        known: &mut Conditions<'t>,
        condition: &'t Expression<'t>,
        holds: bool,
        depth: u32,
    ) {
        if depth > NESTED_MAX {
            return;
        }
        match &condition.kind {
            ExpressionKind::Bracketed(inner) => self.learn(known, inner, holds, depth + 1),
            ExpressionKind::Unary { operators, operand } if is_not(operators) => {
                self.learn(known, operand, holds ^ (operators.len() % 2 == 1), depth + 1);
            }
            ExpressionKind::Binary { first, rest } if connective(rest).is_some() => {
                // All of `and` hold where it does, none of `or` where it does not.
                if (connective(rest) == Some(BinaryOperator::And)) == holds {
                    self.learn(known, first, holds, depth + 1);
                    for (_, operand) in rest {
                        self.learn(known, operand, holds, depth + 1);
                    }
                }
            }
            _ => {
                let Some((condition, _)) = self.atom(condition, holds) else { return };
                known.0.retain(|one| one.text != condition.text);
                if known.0.len() < CONDITIONS_MAX {
                    known.0.push(condition);
                }
            }
        }
    }

    /// A condition without `and`, `or` and `not`, and whether it holds when `holds` is said of it;
    /// `a ~= b` is the opposite of `a == b`.
    fn atom(&self, condition: &'t Expression<'t>, holds: bool) -> Option<(Condition<'t>, bool)> {
        let Span { start, end } = condition.span;
        let shown = self.source.get(start as usize..end as usize)?;
        if shown.len() > TEXT_MAX || shown.contains("--") {
            return None;
        }
        let (text, sign) = match &condition.kind {
            ExpressionKind::Binary { first, rest } => match rest.as_slice() {
                [(BinaryOperator::Unequal, second)] => {
                    let left = self.source.get(start as usize..first.span.end as usize)?;
                    let right = self.source.get(second.span.start as usize..end as usize)?;
                    (Cow::Owned(format!("{left}=={right}")), !holds)
                }
                _ => (Cow::Borrowed(shown), holds),
            },
            _ => (Cow::Borrowed(shown), holds),
        };
        let text = if text.contains(char::is_whitespace) {
            Cow::Owned(text.split_whitespace().collect())
        } else {
            text
        };
        let mut names = Vec::new();
        let lasting = self.names(condition, &mut names, 0);
        Some((Condition { text, holds: sign, shown: (shown, holds), lasting, names }, sign))
    }

    /// Notes the names in a condition; whether it gives the same answer each time.
    fn names(&self, expression: &'t Expression<'t>, names: &mut Vec<&'t str>, depth: u32) -> bool {
        if depth > NESTED_MAX {
            return false;
        }
        match &expression.kind {
            ExpressionKind::Name(name) => {
                names.push(name.text);
                true
            }
            ExpressionKind::Bracketed(inner) | ExpressionKind::Unary { operand: inner, .. } => {
                self.names(inner, names, depth + 1)
            }
            ExpressionKind::Binary { first, rest } => {
                let first = self.names(first, names, depth + 1);
                rest.iter().fold(first, |all, (_, one)| self.names(one, names, depth + 1) && all)
            }
            ExpressionKind::Suffixed { base, suffixes } => {
                let base = self.names(base, names, depth + 1);
                suffixes.iter().fold(base, |all, suffix| match suffix {
                    Suffix::Field(_) => all,
                    Suffix::Index(key) => self.names(key, names, depth + 1) && all,
                    Suffix::Call(_) | Suffix::Method(..) => false,
                })
            }
            ExpressionKind::Function(_) | ExpressionKind::Table(_) | ExpressionKind::Variadic => {
                false
            }
            ExpressionKind::Nil
            | ExpressionKind::Boolean(_)
            | ExpressionKind::Number(_)
            | ExpressionKind::Text(_) => true,
        }
    }
}

fn is_not(operators: &[UnaryOperator]) -> bool {
    operators.iter().all(|operator| *operator == UnaryOperator::Not)
}

fn connective(rest: &[(BinaryOperator, Expression<'_>)]) -> Option<BinaryOperator> {
    let (operator, _) = rest.first()?;
    matches!(operator, BinaryOperator::And | BinaryOperator::Or).then_some(*operator)
}
