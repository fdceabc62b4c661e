//! What functions are called with: types of parameters, passed on from call to call.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's kinds of value are not ours; what is not looked at is passed over alike"
)]

use super::super::facts::{Access, BindingId, FileId, FunctionId};
use super::super::types;
use super::{Possible, Value, Values};
use crate::syntax::{Arguments, Field, FieldKey, Suffix};
use crate::verbs::VerbSpec;

impl<'t> Values<'_, 't> {
    /// Learns from one place where something is called.
    pub(super) fn learn(&mut self, access: &Access<'t>) {
        let mut values = self.of_base(access);
        for suffix in access.suffixes {
            let (callee, arguments) = match suffix {
                Suffix::Call(arguments) => (values.clone(), arguments),
                Suffix::Method(name, arguments) => {
                    (self.reach(access.file, &values, name.text, name.span), arguments)
                }
                Suffix::Field(_) | Suffix::Index(_) => {
                    values = self.after(access.file, &values, suffix);
                    continue;
                }
            };
            if let [Possible { value, .. }] = callee.as_slice() {
                match value {
                    Value::Function(function) => self.learn_own(access.file, *function, arguments),
                    Value::Native(spec) => self.learn_native(access.file, spec, arguments),
                    _ => {}
                }
            }
            values = self.after(access.file, &values, suffix);
        }
    }

    /// A function of the scripts is called with these.
    fn learn_own(&mut self, file: FileId, function: FunctionId, given: &'t Arguments<'t>) {
        let Some(facts) = self.facts.functions.get(function) else { return };
        for (argument, parameter) in given.values.iter().zip(&facts.parameters) {
            let values = self.of(file, argument);
            if let [Possible { value: Value::Typed(ty), .. }] = values.as_slice()
                && self.table.fields(ty).is_some()
            {
                self.learn_type(*parameter, ty);
            }
        }
    }

    /// A function of the table is called, which may call functions that it is given.
    fn learn_native(&mut self, file: FileId, spec: &'static VerbSpec, given: &'t Arguments<'t>) {
        let types: Vec<&'static str> = spec.arguments.iter().map(|argument| argument.ty).collect();
        let last = types.last().copied().unwrap_or_default();
        for (index, argument) in given.values.iter().enumerate() {
            for Possible { value, .. } in self.of(file, argument) {
                match value {
                    // Options may stand before the last argument.
                    Value::Function(function) => {
                        let ty = types.get(index).copied().unwrap_or(last);
                        self.learn_given(function, ty);
                    }
                    Value::Table(table) => {
                        for field in table.fields {
                            self.learn_option(table.file, spec, field);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    fn learn_option(&mut self, file: FileId, spec: &'static VerbSpec, field: &'t Field<'t>) {
        let option = match &field.key {
            FieldKey::Name(name) => spec.options.iter().find(|option| option.name == name.text),
            FieldKey::Index(_) | FieldKey::Position => None,
        };
        let ty = option.map_or_else(|| spec.open.map_or("", |open| open.ty), |option| option.ty);
        for Possible { value, .. } in self.of(file, &field.value) {
            if let Value::Function(function) = value {
                self.learn_given(function, ty);
            }
        }
    }

    fn learn_given(&mut self, function: FunctionId, ty: &'static str) {
        let Some(facts) = self.facts.functions.get(function) else { return };
        for (parameter, ty) in facts.parameters.iter().zip(types::parameters(ty)) {
            self.learn_type(*parameter, ty);
        }
    }

    fn learn_type(&mut self, parameter: BindingId, ty: &'static str) {
        let known = self.parameters.entry(parameter).or_insert(Some(ty));
        if *known != Some(ty) {
            *known = None;
        }
    }
}
