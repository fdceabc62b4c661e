//! Lua that somebody types, before all of it is there.

use mlua::chunk::ChunkMode;
use mlua::{Error, Lua, LuaOptions, StdLib};

use crate::check::syntax_error;
use crate::error::ScriptError;

/// What a text is, as Lua.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// One or more values, as they could stand behind `return`.
    Values,
    /// One or more statements.
    Statements,
    /// It is right so far, but more has to follow.
    Unfinished,
    /// It is no Lua, whatever follows: why, and what to do.
    Wrong(String),
}

/// Tells what a text is, as Lua; nothing of it runs.
pub fn read_typed(text: &str) -> Typed {
    let Ok(lua) = Lua::new_with(StdLib::NONE, LuaOptions::new()) else {
        return Typed::Wrong("there is no memory for another Lua state".to_owned());
    };
    let refused = |text: &str| {
        let chunk = lua.load(text).set_name("=typed").set_mode(ChunkMode::Text);
        chunk.into_function().err()
    };
    // The end of the line ends a comment, too.
    if refused(&format!("return {text}\n")).is_none() {
        return Typed::Values;
    }
    match refused(&format!("{text}\n")) {
        None => Typed::Statements,
        Some(Error::SyntaxError { incomplete_input: true, .. }) => Typed::Unfinished,
        Some(error) => Typed::Wrong(match syntax_error("typed.lua", text) {
            Some(found) => match found.help {
                Some(hint) => format!("{} ({hint})", found.message),
                None => found.message,
            },
            None => ScriptError::from_lua(&error).message,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_told_apart_from_one_that_goes_on() {
        for text in ["1 + 1", "call:answer()", "f(), nil, { 1 }", "x -- why", "\"a\"", "..."] {
            assert_eq!(read_typed(text), Typed::Values, "{text}");
        }
        for text in
            ["local x = 1", "x = 1; y = 2", "return 5", "for i = 1, 2 do end", "goto a ::a::"]
        {
            assert_eq!(read_typed(text), Typed::Statements, "{text}");
        }
        for text in ["for i = 1, 2 do", "f(1,", "x =", "call:play {", "--[[ more", "if x then y()"]
        {
            assert_eq!(read_typed(text), Typed::Unfinished, "{text}");
        }
        for text in ["x = = 1", "end", "local 5", "\"no end", "f)(", "goto nowhere"] {
            assert!(matches!(read_typed(text), Typed::Wrong(_)), "{text}: {:?}", read_typed(text));
        }
    }
}
