//! Goes through a file once, with the scopes of its names.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Lua's grammar is not ours; what is not looked at is passed over alike"
)]

use std::collections::BTreeMap;

use super::{
    Access, Binding, BindingId, BindingKind, Entry, Expressed, Facts, File, FileId, FunctionFacts,
    FunctionId, FunctionName, GlobalPlace, Need, Role,
};
use crate::syntax::{
    Attribute, BinaryOperator, Block, Clause, Expression, ExpressionKind, FieldKey, Function, Name,
    Span, Statement, StatementKind, Suffix, Tree,
};

/// The table of globals under its own name.
const GLOBALS: &str = "_G";
/// What names are looked up in; a script that handles it itself is left alone.
const ENVIRONMENT: &str = "_ENV";

pub(super) fn file<'t>(
    facts: &mut Facts<'t>,
    path: &'t str,
    text: &'t str,
    role: Role,
    tree: &'t Tree<'t>,
) {
    let file = facts.files.len();
    let chunk = facts.functions.len();
    facts.functions.push(FunctionFacts {
        file,
        node: None,
        block: &tree.block,
        parent: None,
        parameters: Vec::new(),
        name: FunctionName::Nothing,
        outer: Default::default(),
        jumps: false,
    });
    let (uses, functions) = (Vec::new(), Vec::new());
    facts.files.push(File { path, text, role, chunk, uses, functions });
    let scopes = vec![BTreeMap::new()];
    let mut walk = Walk { facts, file, function: chunk, scopes, branches: 0, careful: 0 };
    walk.block(&tree.block);
    if let Some(file) = facts.files.get_mut(file) {
        file.uses.sort_unstable();
        file.functions.sort_unstable();
    }
}

struct Walk<'f, 't> {
    facts: &'f mut Facts<'t>,
    file: FileId,
    /// The function that is walked.
    function: FunctionId,
    /// Local names, innermost last.
    scopes: Vec<BTreeMap<&'t str, BindingId>>,
    /// Branches and loops around here, within the function.
    branches: u32,
    /// Calls around here that bear it when something fails.
    careful: u32,
}

/// How a value is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// As a whole.
    Value,
    /// It is compared or counted with.
    Operand,
    /// Something in it is read.
    Reached,
    /// It is called.
    Called,
    /// Something in it is assigned, under a name.
    Changed,
    /// Something in it is assigned, under whatever key.
    Filled,
}

impl<'t> Walk<'_, 't> {
    // Names -------------------------------------------------------------------------------------

    fn declare(&mut self, name: &Name<'t>, kind: BindingKind, attribute: Attribute) -> BindingId {
        let id = self.facts.bindings.len();
        self.facts.bindings.push(Binding {
            file: self.file,
            name: name.text,
            span: name.span,
            function: self.function,
            kind,
            attribute,
            value: None,
            reads: 0,
            writes: 0,
            set_at: Vec::new(),
            set_elsewhere: false,
            escapes: false,
            filled: false,
            indexed: false,
            statement: name.span.start,
        });
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.text, id);
        }
        if kind != BindingKind::Itself {
            self.note_use(name, id);
        }
        id
    }

    fn note_use(&mut self, name: &Name<'t>, binding: BindingId) {
        if let Some(file) = self.facts.files.get_mut(self.file) {
            file.uses.push((name.span.start, binding));
        }
    }

    fn find(&self, name: &str) -> Option<BindingId> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name).copied())
    }

    fn read(&mut self, name: &Name<'t>, used: Use) {
        let Some(id) = self.find(name.text) else {
            if name.text == ENVIRONMENT
                || (name.text == GLOBALS && !matches!(used, Use::Reached | Use::Called))
            {
                self.facts.dynamic_globals = true;
            }
            let need = match used {
                Use::Called => Some(Need::Call),
                Use::Reached => Some(Need::Reach),
                Use::Value | Use::Operand | Use::Changed | Use::Filled => None,
            };
            let need = need.filter(|_| self.careful == 0);
            let place = GlobalPlace { need, ..self.global_place(name.span) };
            self.facts.globals.entry(name.text).or_default().reads.push(place);
            return;
        };
        self.note_use(name, id);
        self.note_outer(id);
        let function = self.function;
        let own = match self.facts.bindings.get(id).map(|binding| binding.kind) {
            Some(BindingKind::Function(itself)) => self.facts.is_within(function, itself),
            Some(_) | None => false,
        };
        if let Some(binding) = self.facts.bindings.get_mut(id) {
            binding.reads += usize::from(!own);
            binding.escapes |= used == Use::Value;
            binding.filled |= used == Use::Filled;
        }
    }

    /// Notes that the functions between here and where a name was declared need it.
    fn note_outer(&mut self, id: BindingId) {
        let home = self.facts.bindings.get(id).map(|binding| binding.function);
        let mut at = Some(self.function);
        while let (Some(function), true) = (at, at != home) {
            let Some(facts) = self.facts.functions.get_mut(function) else { return };
            if !facts.outer.insert(id) {
                return;
            }
            at = facts.parent;
        }
    }

    fn global_place(&self, span: Span) -> GlobalPlace<'t> {
        let (file, function) = (self.file, self.function);
        let (value, body) = (None, None);
        GlobalPlace { file, span, function, value, body, explicit: false, need: None }
    }

    fn assign_name(&mut self, name: &Name<'t>, value: Option<&'t Expression<'t>>) {
        match self.find(name.text) {
            Some(id) => {
                self.note_use(name, id);
                self.note_outer(id);
                if let Some(binding) = self.facts.bindings.get_mut(id) {
                    binding.writes += 1;
                    if binding.function == self.function {
                        binding.set_at.push(name.span.start);
                    } else {
                        binding.set_elsewhere = true;
                    }
                }
            }
            None => {
                let place = GlobalPlace { value, ..self.global_place(name.span) };
                self.facts.globals.entry(name.text).or_default().writes.push(place);
            }
        }
    }

    // Statements --------------------------------------------------------------------------------

    fn block(&mut self, block: &'t Block<'t>) {
        self.scopes.push(BTreeMap::new());
        self.statements(block);
        self.scopes.pop();
    }

    fn statements(&mut self, block: &'t Block<'t>) {
        for statement in &block.statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &'t Statement<'t>) {
        match &statement.kind {
            StatementKind::Local { names, values } => self.local(names, values, statement.span),
            StatementKind::LocalFunction { name, function } => {
                let id = self.facts.functions.len();
                let binding = self.declare(name, BindingKind::Function(id), Attribute::None);
                self.function(function, None, FunctionName::Local(binding));
            }
            StatementKind::Function { path, method, function } => {
                self.named_function(path, method.as_ref(), function);
            }
            StatementKind::Assign { targets, values } => self.assign(targets, values),
            StatementKind::Call(expression) => self.expression(expression, Use::Value),
            StatementKind::Do(body) => self.block(body),
            StatementKind::While { condition, body } => {
                self.expression(condition, Use::Value);
                self.branches += 1;
                self.block(body);
                self.branches -= 1;
            }
            StatementKind::Repeat { body, until } => {
                // What the body declares is seen by the condition.
                self.scopes.push(BTreeMap::new());
                self.statements(body);
                self.expression(until, Use::Value);
                self.scopes.pop();
            }
            StatementKind::If { clauses, otherwise } => {
                for Clause { condition, body } in clauses {
                    self.expression(condition, Use::Value);
                    self.branches += 1;
                    self.block(body);
                    self.branches -= 1;
                }
                if let Some(body) = otherwise {
                    self.branches += 1;
                    self.block(body);
                    self.branches -= 1;
                }
            }
            StatementKind::NumericFor { variable, from, to, step, body } => {
                for bound in [Some(from), Some(to), step.as_ref()].into_iter().flatten() {
                    self.expression(bound, Use::Value);
                }
                self.loop_body(std::slice::from_ref(variable), body);
            }
            StatementKind::GenericFor { names, values, body } => {
                self.facts.statements.push((self.file, statement));
                // The first is what the loop calls each time.
                if let Some((first, rest)) = values.split_first() {
                    self.expression(first, Use::Called);
                    self.expressions(rest);
                }
                self.loop_body(names, body);
            }
            StatementKind::Return(values) => {
                self.facts.statements.push((self.file, statement));
                self.expressions(values);
            }
            StatementKind::Goto | StatementKind::Label => {
                if let Some(facts) = self.facts.functions.get_mut(self.function) {
                    facts.jumps = true;
                }
            }
            StatementKind::Break => {}
        }
    }

    fn local(
        &mut self,
        names: &'t [(Name<'t>, Attribute)],
        values: &'t [Expression<'t>],
        span: Span,
    ) {
        let functions = self.facts.functions.len();
        self.expressions(values);
        for (index, (name, attribute)) in names.iter().enumerate() {
            let id = self.declare(name, BindingKind::Local, *attribute);
            let value = match values.get(index) {
                Some(value) => Some((value, 0)),
                // The last one may give several values.
                None => values.last().map(|last| (last, index + 1 - values.len())),
            };
            if let Some(binding) = self.facts.bindings.get_mut(id) {
                binding.value = value;
                binding.statement = span.start;
            }
            if let (Some(Expression { kind: ExpressionKind::Function(node), .. }), 1) =
                (values.get(index), values.len())
                && let Some(function) = self.facts.functions.get_mut(functions)
                && function.node.is_some_and(|known| std::ptr::eq(known, &**node))
            {
                function.name = FunctionName::Local(id);
            }
        }
    }

    fn named_function(
        &mut self,
        path: &'t [Name<'t>],
        method: Option<&'t Name<'t>>,
        function: &'t Function<'t>,
    ) {
        let id = self.facts.functions.len();
        let Some(first) = path.first() else { return };
        let last = method.or_else(|| path.get(1..).and_then(<[_]>::last));
        let Some(last) = last else {
            self.assign_name(first, None);
            let mut known = FunctionName::Nothing;
            if self.find(first.text).is_none() {
                known = FunctionName::Global(first.text, first.span);
                let writes =
                    self.facts.globals.get_mut(first.text).map(|global| &mut global.writes);
                if let Some(place) = writes.and_then(|writes| writes.last_mut()) {
                    place.body = Some(id);
                }
            }
            self.function(function, None, known);
            return;
        };
        let short = path.len() + usize::from(method.is_some()) == 2;
        let holder = self.find(first.text).filter(|_| short);
        self.read(first, Use::Changed);
        for name in path.iter().skip(1).chain(method) {
            if std::ptr::eq(name, last) {
                self.facts.assigned.insert(name.text);
            } else {
                self.facts.reached.insert(name.text);
            }
        }
        let known = match holder {
            Some(binding) => {
                self.facts.fields.entry((binding, last.text)).or_default().push(id);
                FunctionName::Field(binding, last.text, last.span)
            }
            None => FunctionName::Nothing,
        };
        self.function(function, method, known);
    }

    fn assign(&mut self, targets: &'t [Expression<'t>], values: &'t [Expression<'t>]) {
        let functions = self.facts.functions.len();
        self.expressions(values);
        for (index, target) in targets.iter().enumerate() {
            match &target.kind {
                ExpressionKind::Name(name) => self.assign_name(name, values.get(index)),
                ExpressionKind::Suffixed { base, suffixes } => {
                    self.assign_into(base, suffixes, values.get(index), functions);
                }
                _ => {}
            }
        }
    }

    /// `base.suffixes = value`.
    fn assign_into(
        &mut self,
        base: &'t Expression<'t>,
        suffixes: &'t [Suffix<'t>],
        value: Option<&'t Expression<'t>>,
        functions: FunctionId,
    ) {
        let key = suffixes.last().and_then(written_key);
        let used = match (suffixes.len(), key) {
            (1, Some(_)) => Use::Changed,
            (1, None) => Use::Filled,
            _ => Use::Reached,
        };
        if let (ExpressionKind::Name(name), Some(key), 1) = (&base.kind, key, suffixes.len()) {
            match self.find(name.text) {
                Some(binding) => {
                    if let (Some(Suffix::Field(key)), Some(value)) = (suffixes.last(), value) {
                        let entry = Entry { key, value, function: self.function };
                        self.facts.entries.entry(binding).or_default().push(entry);
                    }
                    if let Some(Expression { kind: ExpressionKind::Function(node), .. }) = value
                        && let Some(known) = self.facts.functions.get_mut(functions)
                        && known.node.is_some_and(|known| std::ptr::eq(known, &**node))
                    {
                        let span = match suffixes.last() {
                            Some(Suffix::Field(name)) => name.span,
                            Some(_) | None => base.span,
                        };
                        known.name = FunctionName::Field(binding, key, span);
                        self.facts.fields.entry((binding, key)).or_default().push(functions);
                    }
                }
                None if name.text == GLOBALS => {
                    let place = self.global_place(base.span);
                    let place = GlobalPlace { value, explicit: true, ..place };
                    self.facts.globals.entry(key).or_default().writes.push(place);
                    return;
                }
                None => {}
            }
        }
        self.facts.assigned.extend(key);
        self.expression(base, used);
        self.suffixes(suffixes, true);
        self.access(base, suffixes, true);
    }

    fn loop_body(&mut self, names: &'t [Name<'t>], body: &'t Block<'t>) {
        self.scopes.push(BTreeMap::new());
        for name in names {
            self.declare(name, BindingKind::Loop, Attribute::None);
        }
        self.branches += 1;
        self.block(body);
        self.branches -= 1;
        self.scopes.pop();
    }

    fn function(
        &mut self,
        node: &'t Function<'t>,
        method: Option<&'t Name<'t>>,
        name: FunctionName<'t>,
    ) {
        let id = self.facts.functions.len();
        self.facts.functions.push(FunctionFacts {
            file: self.file,
            node: Some(node),
            block: &node.body,
            parent: Some(self.function),
            parameters: Vec::new(),
            name,
            outer: Default::default(),
            jumps: false,
        });
        if let Some(file) = self.facts.files.get_mut(self.file) {
            file.functions.push((node.span.start, id));
        }
        let before = std::mem::replace(&mut self.function, id);
        let branches = std::mem::take(&mut self.branches);
        self.scopes.push(BTreeMap::new());
        if let Some(method) = method {
            let itself = Name { text: "self", span: method.span };
            self.declare(&itself, BindingKind::Itself, Attribute::None);
        }
        for (index, parameter) in node.parameters.iter().enumerate() {
            let binding = self.declare(parameter, BindingKind::Parameter(index), Attribute::None);
            if let Some(facts) = self.facts.functions.get_mut(id) {
                facts.parameters.push(binding);
            }
        }
        self.block(&node.body);
        self.scopes.pop();
        self.function = before;
        self.branches = branches;
    }

    // Expressions -------------------------------------------------------------------------------

    fn expressions(&mut self, all: &'t [Expression<'t>]) {
        for expression in all {
            self.expression(expression, Use::Value);
        }
    }

    fn expression(&mut self, expression: &'t Expression<'t>, used: Use) {
        let file = self.file;
        match &expression.kind {
            ExpressionKind::Name(name) => self.read(name, used),
            ExpressionKind::Function(node) => self.function(node, None, FunctionName::Nothing),
            ExpressionKind::Bracketed(inner) => self.expression(inner, used),
            ExpressionKind::Unary { operand, .. } => self.expression(operand, Use::Operand),
            ExpressionKind::Binary { first, rest } => {
                let passes = |operator: &BinaryOperator| {
                    matches!(operator, BinaryOperator::And | BinaryOperator::Or)
                };
                let used = match rest.first() {
                    Some((operator, _)) if passes(operator) => Use::Value,
                    Some(_) | None => Use::Operand,
                };
                self.expression(first, used);
                for (_, operand) in rest {
                    self.expression(operand, used);
                }
                self.facts.comparisons.push(Expressed { file, expression });
            }
            ExpressionKind::Table(fields) => {
                for field in fields {
                    if let FieldKey::Index(key) = &field.key {
                        self.expression(key, Use::Value);
                    }
                    self.expression(&field.value, Use::Value);
                }
                self.facts.tables.push(Expressed { file, expression });
            }
            ExpressionKind::Suffixed { base, suffixes } => {
                let used = match suffixes.first() {
                    Some(Suffix::Call(_)) => Use::Called,
                    Some(_) | None => Use::Reached,
                };
                self.expression(base, used);
                let bears = matches!(&base.kind, ExpressionKind::Name(name)
                    if matches!(name.text, "pcall" | "xpcall"));
                self.careful += u32::from(bears);
                self.suffixes(suffixes, false);
                self.careful -= u32::from(bears);
                self.access(base, suffixes, false);
                self.global_field(base, suffixes);
            }
            ExpressionKind::Nil
            | ExpressionKind::Boolean(_)
            | ExpressionKind::Number(_)
            | ExpressionKind::Text(_)
            | ExpressionKind::Variadic => {}
        }
    }

    fn access(&mut self, base: &'t Expression<'t>, suffixes: &'t [Suffix<'t>], assigned: bool) {
        if let (ExpressionKind::Name(name), Some(Suffix::Index(key))) =
            (&base.kind, suffixes.first())
            && written(key).is_none()
            && let Some(id) = self.find(name.text)
            && let Some(binding) = self.facts.bindings.get_mut(id)
        {
            binding.indexed = true;
        }
        let (file, function, conditional) = (self.file, self.function, self.branches > 0);
        let access = Access { file, function, base, suffixes, assigned, conditional };
        self.facts.accesses.push(access);
    }

    /// `_G.name` reads a global.
    fn global_field(&mut self, base: &'t Expression<'t>, suffixes: &'t [Suffix<'t>]) {
        let ExpressionKind::Name(name) = &base.kind else { return };
        if name.text != GLOBALS || self.find(GLOBALS).is_some() {
            return;
        }
        match suffixes.first().and_then(written_key) {
            Some(key) => {
                let place = GlobalPlace { explicit: true, ..self.global_place(base.span) };
                self.facts.globals.entry(key).or_default().reads.push(place);
            }
            None => self.facts.dynamic_globals = true,
        }
    }

    fn suffixes(&mut self, suffixes: &'t [Suffix<'t>], assigned: bool) {
        let last = suffixes.len().saturating_sub(1);
        for (index, suffix) in suffixes.iter().enumerate() {
            if !(assigned && index == last) {
                self.facts.reached.extend(written_key(suffix));
            }
            match suffix {
                Suffix::Field(_) => {}
                Suffix::Index(key) => self.expression(key, Use::Value),
                Suffix::Call(arguments) => self.expressions(&arguments.values),
                Suffix::Method(name, arguments) => {
                    self.facts.reached.insert(name.text);
                    self.expressions(&arguments.values);
                }
            }
        }
    }
}

/// The key of `.key` and `["key"]`.
fn written_key<'t>(suffix: &'t Suffix<'t>) -> Option<&'t str> {
    match suffix {
        Suffix::Field(name) => Some(name.text),
        Suffix::Index(key) => written(key),
        Suffix::Call(_) | Suffix::Method(..) => None,
    }
}

fn written<'t>(key: &'t Expression<'t>) -> Option<&'t str> {
    match &key.kind {
        ExpressionKind::Text(Some(text)) => Some(text),
        _ => None,
    }
}
