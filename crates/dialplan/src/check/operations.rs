//! Calculating and comparing with values that it cannot work with, loops over what is no list, and
//! returns whose values were not meant to be any.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not looked at is passed over alike"
)]

use super::Report;
use super::code::Code;
use super::facts::{Expressed, Facts, FileId};
use super::types;
use super::values::{Possible, Sort, Value, Values};
use crate::syntax::{
    BinaryOperator, Expression, ExpressionKind, Span, Statement, StatementKind, Suffix,
};
use crate::verbs::nearest;

/// Judges the operators of one expression.
pub(super) fn check<'t>(values: &Values<'_, 't>, expressed: &Expressed<'t>, report: &mut Report) {
    let Expressed { file, expression } = *expressed;
    let ExpressionKind::Binary { first, rest } = &expression.kind else { return };
    let Some((operator, second)) = rest.first() else { return };
    match operator {
        BinaryOperator::Equal | BinaryOperator::Unequal if rest.len() == 1 => {
            comparison(values, file, (first, second), report);
        }
        BinaryOperator::Less
        | BinaryOperator::Greater
        | BinaryOperator::LessOrEqual
        | BinaryOperator::GreaterOrEqual
            if rest.len() == 1 =>
        {
            order(values, file, (first, second), report);
        }
        BinaryOperator::Add
        | BinaryOperator::Subtract
        | BinaryOperator::Multiply
        | BinaryOperator::Divide
        | BinaryOperator::FloorDivide
        | BinaryOperator::Modulo
        | BinaryOperator::Power => {
            for operand in operands(first, rest) {
                let plus = rest.iter().any(|(operator, _)| *operator == BinaryOperator::Add);
                calculation(values, file, operand, plus, report);
            }
        }
        BinaryOperator::Concat => {
            for operand in operands(first, rest) {
                joining(values, file, operand, report);
            }
        }
        _ => {}
    }
}

fn operands<'e, 't>(
    first: &'e Expression<'t>,
    rest: &'e [(BinaryOperator, Expression<'t>)],
) -> impl Iterator<Item = &'e Expression<'t>> {
    std::iter::once(first).chain(rest.iter().map(|(_, operand)| operand))
}

/// What cannot be counted with, whatever the rest is.
fn calculation<'t>(
    values: &Values<'_, 't>,
    file: FileId,
    operand: &'t Expression<'t>,
    plus: bool,
    report: &mut Report,
) {
    let known = values.of(file, operand);
    let [Possible { value, .. }] = known.as_slice() else { return };
    let (what, help) = match value {
        // Lua takes "5" for a number here.
        Value::Text(Some(text)) if text.trim().parse::<f64>().is_err() && !is_hexadecimal(text) => {
            let help = plus.then(|| "to join texts, write .. instead of +".to_owned());
            (format!("\"{text}\" is not a number"), help)
        }
        Value::Nil => ("nil is not a number".to_owned(), None),
        Value::Boolean(_) => ("a boolean is not a number".to_owned(), None),
        Value::Function(_) | Value::Native(_) => ("a function is not a number".to_owned(), None),
        _ => return,
    };
    let message = format!("this cannot be calculated: {what}");
    report.tell(file, operand.span, Code::WRONG_TYPE, message).help = help;
}

fn is_hexadecimal(text: &str) -> bool {
    text.trim().trim_start_matches('-').to_ascii_lowercase().starts_with("0x")
}

/// What cannot be part of a text.
fn joining<'t>(
    values: &Values<'_, 't>,
    file: FileId,
    operand: &'t Expression<'t>,
    report: &mut Report,
) {
    let known = values.of(file, operand);
    let [Possible { value, .. }] = known.as_slice() else { return };
    let (what, help) = match value {
        Value::Nil => ("nil", None),
        Value::Boolean(_) => ("a boolean", Some("write tostring(...)".to_owned())),
        Value::Function(_) | Value::Native(_) => ("a function", Some("call it with ()".to_owned())),
        Value::Typed(ty) if values.table.fields(ty).is_some() => {
            ("a table", some_fields(values, ty))
        }
        _ => return,
    };
    let message = format!("{what} cannot be joined to a text");
    report.tell(file, operand.span, Code::WRONG_TYPE, message).help = help;
}

fn some_fields(values: &Values<'_, '_>, ty: &str) -> Option<String> {
    let names: Vec<_> = values.table.fields(ty)?.iter().map(|field| field.name).collect();
    (!names.is_empty()).then(|| format!("it has {}", names.join(", ")))
}

/// `<` between a number and a text.
fn order<'t>(
    values: &Values<'_, 't>,
    file: FileId,
    (left, right): (&'t Expression<'t>, &'t Expression<'t>),
    report: &mut Report,
) {
    let sort = |side| match values.of(file, side).as_slice() {
        [Possible { value, .. }] => value.sort(),
        _ => None,
    };
    let (text, help) = match (sort(left), sort(right)) {
        (Some(Sort::Number), Some(Sort::Text)) => (right, "write tonumber(...)"),
        (Some(Sort::Text), Some(Sort::Number)) => (left, "write tonumber(...)"),
        _ => return,
    };
    let message = "a string cannot be compared with a number in size".to_owned();
    report.tell(file, text.span, Code::WRONG_TYPE, message).help = Some(help.into());
}

/// `==` between values that are never the same.
fn comparison<'t>(
    values: &Values<'_, 't>,
    file: FileId,
    (first, second): (&'t Expression<'t>, &'t Expression<'t>),
    report: &mut Report,
) {
    for (left, right) in [(first, second), (second, first)] {
        let (known, others) = (values.of(file, left), values.of(file, right));
        let ([Possible { value, .. }], [word]) = (known.as_slice(), others.as_slice()) else {
            continue;
        };
        let Value::Text(Some(text)) = &word.value else { continue };
        let told = match value {
            Value::Typed(ty) => typed(values, ty, text),
            Value::Boolean(_) if is_negated(left) => Some((
                "not counts for the left side alone, so this is never equal".to_owned(),
                "to say that they differ, write ~= and leave out not".to_owned(),
            )),
            _ => None,
        };
        if let Some((problem, help)) = told {
            let told = report.tell(word.file, word.span, Code::NEVER_EQUAL, problem);
            told.help = Some(help);
        }
    }
}

/// Why a value of a type is never a text, and what to do.
fn typed(values: &Values<'_, '_>, ty: &str, text: &str) -> Option<(String, String)> {
    if let Some(words) = types::words(ty) {
        if words.contains(&text) {
            return None;
        }
        let help = match nearest(text, words.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("it is one of {}", words.join(", ")),
        };
        return Some((format!("this is never \"{text}\""), help));
    }
    let fields = values.table.fields(ty)?;
    let holds = |words: Option<Vec<&str>>| words.is_some_and(|words| words.contains(&text));
    let fitting = fields.iter().find(|field| holds(types::words(field.ty)));
    let help = match fitting {
        Some(field) => format!("its .{} is", field.name),
        None => some_fields(values, ty)?,
    };
    Some((format!("this is a table, never \"{text}\""), help))
}

fn is_negated(expression: &Expression<'_>) -> bool {
    matches!(expression.kind, ExpressionKind::Unary { .. })
}

/// Judges a loop over a list, or a return.
pub(super) fn statement<'t>(
    facts: &Facts<'t>,
    values: &Values<'_, 't>,
    file: FileId,
    statement: &'t Statement<'t>,
    report: &mut Report,
) {
    match &statement.kind {
        StatementKind::GenericFor { values: list, .. } => {
            if let [only] = list.as_slice() {
                iteration(values, file, only, report);
            }
        }
        StatementKind::Return(given) => {
            let text = facts.files.get(file).map_or("", |file| file.text);
            if let Some(first) = given.first()
                && is_a_statement(text, statement.span, first)
            {
                let word = Span { end: statement.span.start + 6, ..statement.span };
                let problem =
                    "return runs what stands in the next line, to give that back".to_owned();
                let told = report.tell(file, word, Code::SPLIT_RETURN, problem);
                told.help = Some("to end here, write do return end".into());
            }
        }
        _ => {}
    }
}

/// Whether what is given back stands below its return like a statement of its own.
fn is_a_statement(text: &str, span: Span, first: &Expression<'_>) -> bool {
    let called = matches!(&first.kind, ExpressionKind::Suffixed { suffixes, .. }
        if matches!(suffixes.last(), Some(Suffix::Call(_) | Suffix::Method(..))));
    let indent = |at: u32| {
        let line = text.get(..at as usize).and_then(|before| before.rsplit('\n').next());
        line.filter(|line| line.trim().is_empty()).map(str::len)
    };
    let between = text.get(span.start as usize..first.span.start as usize).unwrap_or_default();
    let (own, next) = (indent(span.start), indent(first.span.start));
    called && between.contains('\n') && own.is_some() && own == next
}

/// `for x in list do`, without `ipairs`.
fn iteration<'t>(
    values: &Values<'_, 't>,
    file: FileId,
    list: &'t Expression<'t>,
    report: &mut Report,
) {
    let known = values.of(file, list);
    let [Possible { value, .. }] = known.as_slice() else { return };
    let (what, help) = match value {
        Value::Table(table) if values.is_as_written(*table) => {
            ("a table", "write ipairs(...) for a list, or pairs(...)")
        }
        Value::Typed(ty) if values.table.fields(ty).is_some() => ("a table", "write pairs(...)"),
        Value::Number(_) => ("a number", "to count, write for i = 1, n do"),
        Value::Text(_) => ("a string", "write text:gmatch(\".\") for its characters"),
        _ => return,
    };
    let problem = format!("a loop cannot go through {what} itself");
    report.tell(file, list.span, Code::WRONG_TYPE, problem).help = Some(help.into());
}
