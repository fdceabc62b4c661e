//! What the texts of a set of scripts say: names and what they belong to, functions, places where
//! something is called, read or assigned. One walk over each tree; the checks read what it noted.

mod walk;

use std::collections::{BTreeMap, BTreeSet};

use super::reaching::Reaching;
use crate::syntax::{Attribute, Block, Expression, Function, Name, Span, Statement, Suffix, Tree};

pub(super) type FileId = usize;
pub(super) type BindingId = usize;
pub(super) type FunctionId = usize;

/// A file that could be read as Lua.
#[derive(Debug)]
pub(super) struct File<'t> {
    /// Relative to the scripts folder: `main.lua`.
    pub(super) path: &'t str,
    pub(super) text: &'t str,
    pub(super) role: Role,
    /// What is a function of its own: the file as `require` runs it.
    pub(super) chunk: FunctionId,
    /// Where a local name stands, and what it is; in the order of the text.
    uses: Vec<(u32, BindingId)>,
    /// Where a function begins; in the order of the text.
    functions: Vec<(u32, FunctionId)>,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It is loaded, or brought in by what is.
    Dialplan,
    /// It tests the dialplan.
    Test,
}

/// A local name, parameter or loop variable.
#[derive(Debug)]
pub(super) struct Binding<'t> {
    pub(super) file: FileId,
    pub(super) name: &'t str,
    pub(super) span: Span,
    /// The function in which it was declared.
    pub(super) function: FunctionId,
    pub(super) kind: BindingKind,
    pub(super) attribute: Attribute,
    /// What it was declared with: the expression, and which of its values.
    pub(super) value: Option<(&'t Expression<'t>, usize)>,
    /// How often it is read. What a function says about itself does not count.
    pub(super) reads: usize,
    /// How often it is given another value.
    pub(super) writes: usize,
    /// Where it is given another value in its own function; in the order of the text.
    pub(super) set_at: Vec<u32>,
    /// Whether a function within its own gives it another value.
    pub(super) set_elsewhere: bool,
    /// Whether it is used otherwise than to reach into it or to call it, so that others may hold it.
    pub(super) escapes: bool,
    /// Whether something in it is assigned under a key that is not written out.
    pub(super) filled: bool,
    /// Whether something in it is reached under such a key.
    pub(super) indexed: bool,
    /// Names declared by one statement have one number.
    pub(super) statement: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BindingKind {
    Local,
    /// `local function`.
    Function(FunctionId),
    /// Of a function, by its place.
    Parameter(usize),
    /// The `self` of a method.
    Itself,
    Loop,
}

/// A function, or a file as a whole.
#[derive(Debug)]
pub(super) struct FunctionFacts<'t> {
    pub(super) file: FileId,
    /// `None` for a file.
    pub(super) node: Option<&'t Function<'t>>,
    pub(super) block: &'t Block<'t>,
    /// In which it was written.
    pub(super) parent: Option<FunctionId>,
    pub(super) parameters: Vec<BindingId>,
    pub(super) name: FunctionName<'t>,
    /// Globals and locals of others that it or a function in it names.
    pub(super) outer: BTreeSet<BindingId>,
    /// Whether it has labels to jump to.
    pub(super) jumps: bool,
}

/// What a function is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FunctionName<'t> {
    Nothing,
    Local(BindingId),
    /// `function name()` without `local`.
    Global(&'t str, Span),
    /// `function table.name()`, in a local table.
    Field(BindingId, &'t str, Span),
}

/// A value with what follows it: `call:play("x")`, `time.open`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access<'t> {
    pub(super) file: FileId,
    pub(super) function: FunctionId,
    pub(super) base: &'t Expression<'t>,
    pub(super) suffixes: &'t [Suffix<'t>],
    /// Whether it is what an assignment assigns.
    pub(super) assigned: bool,
    /// Whether it stands in a branch or loop of its function.
    pub(super) conditional: bool,
}

/// A comparison, or an expression with several operators of one rank.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expressed<'t> {
    pub(super) file: FileId,
    pub(super) expression: &'t Expression<'t>,
}

/// Where something is done to a global.
#[derive(Debug, Clone, Copy)]
pub(super) struct GlobalPlace<'t> {
    pub(super) file: FileId,
    pub(super) span: Span,
    pub(super) function: FunctionId,
    /// What it is given, when it is written and that is known.
    pub(super) value: Option<&'t Expression<'t>>,
    /// What it is given by `function name()`.
    pub(super) body: Option<FunctionId>,
    /// Written as `_G.name`, on purpose.
    pub(super) explicit: bool,
    /// It is called or reached into, which fails unless it is there.
    pub(super) need: Option<Need>,
}

/// What cannot be done with nil.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Call,
    Reach,
}

/// A global name and all places where it stands.
#[derive(Debug, Default)]
pub(super) struct Global<'t> {
    pub(super) reads: Vec<GlobalPlace<'t>>,
    pub(super) writes: Vec<GlobalPlace<'t>>,
}

/// `table.key = value`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'t> {
    pub(super) key: &'t Name<'t>,
    pub(super) value: &'t Expression<'t>,
    pub(super) function: FunctionId,
}

/// What is known of all files.
#[derive(Debug, Default)]
pub(super) struct Facts<'t> {
    pub(super) files: Vec<File<'t>>,
    pub(super) bindings: Vec<Binding<'t>>,
    pub(super) functions: Vec<FunctionFacts<'t>>,
    pub(super) accesses: Vec<Access<'t>>,
    pub(super) comparisons: Vec<Expressed<'t>>,
    pub(super) tables: Vec<Expressed<'t>>,
    /// Loops over lists, and returns.
    pub(super) statements: Vec<(FileId, &'t Statement<'t>)>,
    pub(super) globals: BTreeMap<&'t str, Global<'t>>,
    /// Functions that a local table holds under a name.
    pub(super) fields: BTreeMap<(BindingId, &'t str), Vec<FunctionId>>,
    /// What is assigned to a name in a local table.
    pub(super) entries: BTreeMap<BindingId, Vec<Entry<'t>>>,
    /// What locals that are given several values can be where they are read.
    pub(super) reaching: Reaching<'t>,
    /// Every name that is reached with `.name`, `:name` or `["name"]`, except where it is assigned.
    pub(super) reached: BTreeSet<&'t str>,
    /// Every name under which something is assigned after its table was made.
    pub(super) assigned: BTreeSet<&'t str>,
    /// Whether globals are used under names that are not written out.
    pub(super) dynamic_globals: bool,
}

impl<'t> Facts<'t> {
    /// Notes what a file says.
    pub(super) fn add(&mut self, path: &'t str, text: &'t str, role: Role, tree: &'t Tree<'t>) {
        walk::file(self, path, text, role, tree);
    }

    /// Follows the locals of all files that were added.
    pub(super) fn follow(&mut self) {
        self.reaching = super::reaching::follow(self);
    }

    pub(super) fn file(&self, path: &str) -> Option<FileId> {
        self.files.iter().position(|file| file.path == path)
    }

    /// What local name stands there.
    pub(super) fn binding_of(&self, file: FileId, name: &Name<'_>) -> Option<BindingId> {
        let uses = &self.files.get(file)?.uses;
        let found = uses.binary_search_by_key(&name.span.start, |(start, _)| *start).ok()?;
        uses.get(found).map(|(_, binding)| *binding)
    }

    /// The facts of a function that stands in a file.
    pub(super) fn function_of(&self, file: FileId, node: &Function<'_>) -> Option<FunctionId> {
        let functions = &self.files.get(file)?.functions;
        let found = functions.binary_search_by_key(&node.span.start, |(start, _)| *start).ok()?;
        functions.get(found).map(|(_, function)| *function)
    }

    /// Whether `inner` is `outer` or stands in it.
    pub(super) fn is_within(&self, inner: FunctionId, outer: FunctionId) -> bool {
        let mut at = Some(inner);
        while let Some(function) = at {
            if function == outer {
                return true;
            }
            at = self.functions.get(function).and_then(|facts| facts.parent);
        }
        false
    }

    /// Whether a function is a file as a whole.
    pub(super) fn is_chunk(&self, function: FunctionId) -> bool {
        self.functions.get(function).is_some_and(|facts| facts.node.is_none())
    }
}
