//! Types as the function table writes them: `string?`, `"BUSY"|"CANCEL"`, `Party`,
//! `fun(call: Call)`.

use std::collections::BTreeMap;

use super::facts::Role;
use crate::verbs::{CLASSES, Library, LibrarySpec, Returns, ValueSpec, VerbSpec};

/// The table of everything that can be called, and what stands beside it.
#[derive(Debug)]
pub(super) struct Table {
    /// What scripts find under its name.
    dialplan: Vec<&'static LibrarySpec>,
    /// What tests find.
    tests: Vec<&'static LibrarySpec>,
    /// What of [`Table::dialplan`] tests find too, by the names of libraries and of globals.
    shared: Vec<&'static str>,
    /// Those that are objects with methods, by the type of the object.
    objects: BTreeMap<String, &'static LibrarySpec>,
    /// Kinds of table by name, with their fields.
    classes: BTreeMap<&'static str, &'static [ValueSpec]>,
}

impl Table {
    /// `shared` names what tests find of what scripts find.
    pub(super) fn new(
        dialplan: &[&'static LibrarySpec],
        tests: &[&'static LibrarySpec],
        shared: &[&'static str],
    ) -> Self {
        let all = || dialplan.iter().chain(tests).copied();
        let objects = all().filter(|library| is_object(library));
        let objects = objects.map(|library| (type_name(library), library)).collect();
        let results = all().flat_map(|library| library.functions);
        let results = results.filter_map(|spec| match &spec.returns {
            Returns::Table(class) => Some(*class),
            Returns::Nothing | Returns::Value(_) | Returns::Values(_) => None,
        });
        let classes = CLASSES.iter().copied().chain(results);
        let classes = classes.map(|class| (class.name, class.fields)).collect();
        let (dialplan, tests, shared) = (dialplan.to_vec(), tests.to_vec(), shared.to_vec());
        Self { dialplan, tests, shared, objects, classes }
    }

    /// The library that a script finds under that name.
    pub(super) fn library(&self, role: Role, word: &str) -> Option<&'static LibrarySpec> {
        self.libraries(role).find(|spec| !is_object(spec) && spec.library.word() == word)
    }

    /// The function that a script finds under that name alone.
    pub(super) fn function(&self, role: Role, name: &str) -> Option<&'static VerbSpec> {
        self.functions(role).find(|spec| spec.name == name)
    }

    /// The object of that word: `call`.
    pub(super) fn object(&self, word: &str) -> Option<&'static LibrarySpec> {
        self.objects.values().copied().find(|spec| spec.library.word() == word)
    }

    /// What a script finds by its name alone, of what is not Lua's.
    pub(super) fn names(&self, role: Role) -> impl Iterator<Item = &'static str> {
        let libraries = self.libraries(role).filter(|library| !is_object(library));
        let words = libraries.map(|library| library.library.word());
        let functions = self.functions(role).map(|spec| spec.name);
        words.filter(|word| !word.is_empty()).chain(functions)
    }

    fn libraries(&self, role: Role) -> impl Iterator<Item = &'static LibrarySpec> {
        let shared = move |library: &&'static LibrarySpec| {
            role == Role::Dialplan || self.shared.contains(&library.library.word())
        };
        let own = self.dialplan.iter().copied().filter(shared);
        let tests = self.tests.iter().copied().filter(move |_| role == Role::Test);
        own.chain(tests)
    }

    fn functions(&self, role: Role) -> impl Iterator<Item = &'static VerbSpec> {
        let global = |library: &&&'static LibrarySpec| library.library.word().is_empty();
        let shared = move |spec: &&'static VerbSpec| {
            role == Role::Dialplan || self.shared.contains(&spec.name)
        };
        let own = self.dialplan.iter().filter(global).flat_map(|library| library.functions);
        let tests = self.tests.iter().filter(global).flat_map(|library| library.functions);
        own.filter(shared).chain(tests.filter(move |_| role == Role::Test))
    }

    /// The type of the value that a route is given: that of the methods of `call`.
    pub(super) fn call_type(&self) -> Option<&'static str> {
        let functions = self.dialplan.iter().flat_map(|library| library.functions);
        let types =
            functions.flat_map(|spec| spec.arguments).flat_map(|given| parameters(given.ty));
        let mut calls = types
            .filter(|ty| self.methods(ty).is_some_and(|library| library.library == Library::Call));
        calls.next()
    }

    /// The methods of an object of that type: those of `call` for `Call`.
    pub(super) fn methods(&self, ty: &str) -> Option<&'static LibrarySpec> {
        self.objects.get(certain(ty)).copied()
    }

    /// The fields of a table of that type.
    pub(super) fn fields(&self, ty: &str) -> Option<&'static [ValueSpec]> {
        let ty = certain(ty);
        match self.objects.get(ty) {
            Some(library) => Some(library.fields),
            None => self.classes.get(ty).copied(),
        }
    }
}

/// Whether it is an object with methods.
pub(super) fn is_object(spec: &LibrarySpec) -> bool {
    spec.library.separator() == ":"
}

/// The type of the object that a library's functions are methods of: `Call`. Objects of tests are
/// called what they are.
fn type_name(spec: &LibrarySpec) -> String {
    let word = spec.library.word();
    if let Library::Test(word) = spec.library {
        return word.to_owned();
    }
    let (first, rest) = word.split_at(word.len().min(1));
    format!("{}{rest}", first.to_ascii_uppercase())
}

/// The type without the question mark that says that it may be nil.
pub(super) fn certain(ty: &str) -> &str {
    ty.trim_end_matches('?')
}

/// The words that a value of this type can be, if nothing else; nil is left out.
pub(super) fn words(ty: &str) -> Option<Vec<&str>> {
    let types = certain(ty).split('|').filter(|part| *part != "nil");
    types.map(|word| word.strip_prefix('"')?.strip_suffix('"')).collect()
}

/// The types of the parameters of `fun(call: Call, number: string)`.
pub(super) fn parameters(ty: &'static str) -> Vec<&'static str> {
    let inside = ty.split_once("fun(").and_then(|(_, rest)| rest.split_once(')'));
    let Some((inside, _)) = inside else { return Vec::new() };
    inside.split(',').map(|one| one.split_once(':').map_or("any", |(_, ty)| ty.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verbs::LIBRARIES;

    #[test]
    fn types_of_the_table_are_understood() {
        let table = Table::new(LIBRARIES, &[], &["time", "log"]);
        assert_eq!(parameters("fun(call: Call)"), ["Call"]);
        assert_eq!(parameters("fun(cause: string, code: integer)"), ["string", "integer"]);
        assert_eq!(parameters("string"), Vec::<&str>::new());
        assert_eq!(words(r#""timeout"|"invalid"|nil"#), Some(vec!["timeout", "invalid"]));
        assert_eq!(words("string"), None);
        assert_eq!(table.call_type(), Some("Call"));
        assert!(table.library(Role::Test, "time").is_some());
        assert!(table.library(Role::Test, "json").is_none());
        assert!(table.function(Role::Test, "log").is_some());
        assert!(table.function(Role::Test, "route").is_none());
        assert!(table.names(Role::Dialplan).any(|name| name == "route"));
        assert!(table.methods("Call").is_some() && table.methods("Party").is_none());
        assert!(table.fields("Party?").unwrap().iter().any(|field| field.name == "user"));
        assert!(table.fields("Dialed").unwrap().iter().any(|field| field.name == "status"));
        assert!(table.fields("table<string, any>").is_none());
    }
}
