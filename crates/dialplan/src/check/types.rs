//! Types as the function table writes them: `string?`, `"BUSY"|"CANCEL"`, `Party`,
//! `fun(call: Call)`.

use std::collections::BTreeMap;

use crate::verbs::{CLASSES, Library, LibrarySpec, Returns, ValueSpec};

/// The table of everything that can be called, and what stands beside it.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) libraries: Vec<&'static LibrarySpec>,
    /// Those that are objects with methods, by the type of the object.
    objects: BTreeMap<String, &'static LibrarySpec>,
    /// Kinds of table by name, with their fields.
    classes: BTreeMap<&'static str, &'static [ValueSpec]>,
}

impl Table {
    pub(super) fn new(libraries: Vec<&'static LibrarySpec>) -> Self {
        let objects = libraries.iter().copied().filter(|library| is_object(library));
        let objects = objects.map(|library| (type_name(library), library)).collect();
        let results = libraries.iter().flat_map(|library| library.functions);
        let results = results.filter_map(|spec| match &spec.returns {
            Returns::Table(class) => Some(*class),
            Returns::Nothing | Returns::Value(_) | Returns::Values(_) => None,
        });
        let classes = CLASSES.iter().copied().chain(results);
        let classes = classes.map(|class| (class.name, class.fields)).collect();
        Self { libraries, objects, classes }
    }

    /// The library of that word.
    pub(super) fn library(&self, word: &str) -> Option<&'static LibrarySpec> {
        self.libraries.iter().copied().find(|spec| spec.library.word() == word)
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

/// The type of the object that a library's functions are methods of: `Call`.
pub(super) fn type_name(spec: &LibrarySpec) -> String {
    let word = spec.library.word();
    let (first, rest) = word.split_at(word.len().min(1));
    format!("{}{rest}", first.to_ascii_uppercase())
}

/// The type of the value that a route is given: that of the methods of `call`.
pub(super) fn call_type(table: &Table) -> Option<&'static str> {
    let functions = table.libraries.iter().flat_map(|library| library.functions);
    let types = functions.flat_map(|spec| spec.arguments).flat_map(|given| parameters(given.ty));
    let mut calls = types
        .filter(|ty| table.methods(ty).is_some_and(|library| library.library == Library::Call));
    calls.next()
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
        let table = Table::new(LIBRARIES.to_vec());
        assert_eq!(parameters("fun(call: Call)"), ["Call"]);
        assert_eq!(parameters("fun(cause: string, code: integer)"), ["string", "integer"]);
        assert_eq!(parameters("string"), Vec::<&str>::new());
        assert_eq!(words(r#""timeout"|"invalid"|nil"#), Some(vec!["timeout", "invalid"]));
        assert_eq!(words("string"), None);
        assert_eq!(call_type(&table), Some("Call"));
        assert!(table.methods("Call").is_some() && table.methods("Party").is_none());
        assert!(table.fields("Party?").unwrap().iter().any(|field| field.name == "user"));
        assert!(table.fields("Dialed").unwrap().iter().any(|field| field.name == "status"));
        assert!(table.fields("table<string, any>").is_none());
    }
}
