//! Which script the tests of a file are about.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use dialplan::{Kept, Sources, nearest};

/// Scripts with one of them in the place of the entry, and what their first load spares later ones.
#[derive(Debug, Clone)]
pub(crate) struct Dialplan {
    pub(crate) sources: Arc<Sources>,
    pub(crate) kept: Kept,
}

/// The dialplans that the files of tests name, each made when it is first named.
#[derive(Debug)]
pub(crate) struct Entries {
    usual: Dialplan,
    named: RefCell<BTreeMap<String, Dialplan>>,
}

impl Entries {
    /// With what loads of the usual dialplan keep.
    pub(crate) fn new(sources: &Sources, kept: &Kept) -> Self {
        let usual = Dialplan { sources: Arc::new(sources.clone()), kept: kept.clone() };
        Self { usual, named: RefCell::default() }
    }

    /// The dialplan that begins in `main.lua`.
    pub(crate) fn usual(&self) -> Dialplan {
        self.usual.clone()
    }

    /// The dialplan that begins in another file, named as `require` does.
    ///
    /// Its `main.lua` is one line that requires the file, so that its own lines keep their numbers.
    ///
    /// # Errors
    /// There is no such file.
    pub(crate) fn beginning_in(&self, module: &str) -> Result<Dialplan, String> {
        if let Some(known) = self.named.borrow().get(module) {
            return Ok(known.clone());
        }
        let files = &self.usual.sources.files;
        let path = format!("{}.lua", module.replace('.', "/"));
        if !files.contains_key(&path) {
            let near = nearest(&path, files.keys().map(String::as_str));
            let hint = near.map(|near| format!("; did you mean scripts/{near}?"));
            return Err(format!("there is no scripts/{path}{}", hint.unwrap_or_default()));
        }
        let mut sources = Sources::clone(&self.usual.sources);
        sources.files.insert("main.lua".to_owned(), format!("require \"{module}\"\n"));
        let made = Dialplan { sources: Arc::new(sources), kept: Kept::default() };
        self.named.borrow_mut().insert(module.to_owned(), made.clone());
        Ok(made)
    }
}
