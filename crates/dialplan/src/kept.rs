//! What loading the same scripts again can spare.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use mlua::chunk::ChunkMode;
use mlua::{Function, Lua, Table};

use crate::coverage::{Known, Watch};
use crate::generation::{Names, Sources};

/// What the first load of a set of scripts leaves for later ones of the same texts and names: its
/// chunks as Lua compiled them, and that no mistake was found. For whoever loads one dialplan many
/// times, as tests do; each load still has a Lua state of its own.
///
/// Clones share what they keep. Other texts or names are loaded in full.
#[derive(Clone, Default)]
pub struct Kept(Arc<OnceLock<Record>>);

struct Record {
    sources: Sources,
    names: Names,
    chunks: Chunks,
    /// What is counted in them, if they were compiled to be watched.
    learned: Option<Known>,
}

/// Compiled chunks by name, ours and those of scripts.
type Chunks = BTreeMap<String, Vec<u8>>;

impl Kept {
    /// The chunks of an earlier load, if that was of the same.
    pub(crate) fn chunks(&self, sources: &Sources, names: &Names, watch: Watch) -> Compiled {
        let is_watched = watch == Watch::Lines;
        match self.0.get() {
            Some(record)
                if record.sources == *sources
                    && record.names == *names
                    && record.learned.is_some() == is_watched =>
            {
                Compiled::Known(self.clone())
            }
            Some(_) => Compiled::Neither,
            None => Compiled::New(RefCell::default()),
        }
    }

    /// Keeps what a load without mistakes compiled.
    pub(crate) fn keep(
        &self,
        sources: &Sources,
        names: &Names,
        learned: Option<Known>,
        compiled: &Compiled,
    ) {
        if let Compiled::New(chunks) = compiled {
            self.0.get_or_init(|| Record {
                sources: sources.clone(),
                names: names.clone(),
                chunks: chunks.take(),
                learned,
            });
        }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("filled", &self.0.get().is_some()).finish()
    }
}

/// A text to be made a function.
#[derive(Clone, Copy)]
pub(crate) struct Chunk<'a> {
    /// Names it among all chunks.
    pub(crate) key: &'a str,
    /// What Lua calls it in messages.
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
    /// Its globals, if they are not Lua's own.
    pub(crate) environment: Option<&'a Table>,
}

/// Chunks of the load under way.
pub(crate) enum Compiled {
    /// From an earlier load.
    Known(Kept),
    /// Being compiled, and to be kept.
    New(RefCell<Chunks>),
    /// Neither known nor kept.
    Neither,
}

impl Compiled {
    /// Whether an earlier load of the same found no mistake.
    pub(crate) fn is_known(&self) -> bool {
        matches!(self, Self::Known(_))
    }

    /// What an earlier load learned of the scripts, if they were watched.
    pub(crate) fn recorded(&self) -> Option<&Known> {
        match self {
            Self::Known(kept) => kept.0.get()?.learned.as_ref(),
            Self::New(_) | Self::Neither => None,
        }
    }

    /// The function of a chunk: from what is known, or compiled from its text.
    pub(crate) fn function(&self, lua: &Lua, chunk: Chunk<'_>) -> mlua::Result<Function> {
        let Chunk { key, name, text, environment } = chunk;
        let load = |bytes: &[u8], mode: ChunkMode| {
            let chunk = lua.load(bytes).set_name(name).set_mode(mode);
            match environment {
                Some(environment) => chunk.set_environment(environment.clone()).into_function(),
                None => chunk.into_function(),
            }
        };
        match self {
            Self::Known(kept) => {
                let record = kept.0.get();
                match record.and_then(|record| record.chunks.get(key)) {
                    Some(chunk) => load(chunk, ChunkMode::Binary),
                    None => load(text.as_bytes(), ChunkMode::Text),
                }
            }
            Self::New(chunks) => {
                let function = load(text.as_bytes(), ChunkMode::Text)?;
                chunks.borrow_mut().insert(key.to_owned(), function.dump(false));
                Ok(function)
            }
            Self::Neither => load(text.as_bytes(), ChunkMode::Text),
        }
    }
}
