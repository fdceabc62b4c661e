//! The lines typed so far as a script.

use dialplan::{LoadError, Sources};

use crate::entry::{Entry, Kind, What};

/// The dialplan with a route of ours beside its own.
#[derive(Debug)]
pub(crate) struct Dialplan {
    own: Sources,
    /// The file of our route, without its ending.
    module: String,
    /// What is dialled to reach it.
    pub(crate) number: String,
    /// What the script is told that was dialled.
    to: String,
}

/// Begins every line of the log that is for us alone.
pub(crate) const MARK: &str = "§repl";

/// What a marked line of the log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    /// This entry gave these values.
    Value(usize, String),
    /// This entry has run.
    Done(usize),
}

impl Mark {
    /// Reads a line of the log; `None` if it is none of ours.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(MARK)?.strip_prefix(' ')?;
        let (number, rest) = rest.split_once(' ')?;
        let number = number.parse().ok()?;
        match rest.strip_prefix("= ") {
            Some(value) => Some(Self::Value(number, value.to_owned())),
            None => Some(Self::Done(number)),
        }
    }
}

impl Dialplan {
    /// `to` is what the script is told that was dialled.
    pub(crate) fn new(own: Sources, to: &str, patterns: &[String]) -> Self {
        let mut module = "repl".to_owned();
        while [&module, &tools_of(&module)]
            .iter()
            .any(|name| own.files.contains_key(&format!("{name}.lua")))
        {
            module.push('_');
        }
        let taken = patterns.iter().any(|pattern| pattern == to);
        let plain = dialplan::Pattern::parse(to)
            .is_ok_and(|pattern| pattern.fit(to) == dialplan::Fit::Full);
        let number = if taken || !plain { ELSEWHERE.to_owned() } else { to.to_owned() };
        Self { own, module, number, to: to.to_owned() }
    }

    /// What is said to be dialled, if the dialplan has a route of exactly that.
    pub(crate) fn taken(&self) -> Option<&str> {
        (self.number != self.to).then_some(self.to.as_str())
    }

    /// The scripts with these entries as the body of our route.
    pub(crate) fn sources(&self, entries: &[Entry]) -> Sources {
        let mut sources = self.own.clone();
        let main = sources.files.entry("main.lua".to_owned()).or_default();
        // On the same line, so that the lines of the dialplan keep their numbers.
        *main = format!("require \"{}\" {main}", self.module);
        sources.files.insert(format!("{}.lua", self.module), self.route(entries));
        let tools = format!("{}.lua", tools_of(&self.module));
        sources.files.insert(tools, TOOLS.replace("MARK", MARK));
        sources
    }

    fn route(&self, entries: &[Entry]) -> String {
        let mut text = format!("local repl = require \"{}\"\n", tools_of(&self.module));
        text.push_str(&format!("route({:?}, {{ public = true }}, function(call)\n", self.number));
        text.push_str(&format!("call.to.user = {:?}\n", self.to));
        let mut idle_since = Some(std::time::Duration::ZERO);
        for (number, entry) in entries.iter().enumerate() {
            let What::Line(line) = &entry.what else { continue };
            if let Some(gap) = idle_since.map(|since| entry.at.saturating_sub(since))
                && !gap.is_zero()
            {
                text.push_str(&format!("call:sleep({})\n", gap.as_secs_f64()));
            }
            text.push_str(&format!("{}\n", body_of(line.kind, number, &entry.typed)));
            text.push_str(&format!("repl.done({number})\n"));
            idle_since = line.ended_at;
        }
        // The prompt waits for the next line.
        text.push_str("call:sleep(86400)\nend)\n");
        text
    }

    /// A message of ours, with the place of our script replaced by what was typed.
    pub(crate) fn told(&self, file: &str, line: Option<u32>, message: &str) -> String {
        let ours = [&self.module, &tools_of(&self.module)]
            .iter()
            .any(|name| file == format!("scripts/{name}.lua"));
        match line {
            _ if ours || file.is_empty() => message.to_owned(),
            Some(line) => format!("{file}:{line}: {message}"),
            None => format!("{file}: {message}"),
        }
    }

    /// Lines of a ladder without places in our script, which nobody has seen.
    pub(crate) fn without_our_places(&self, lines: &str) -> String {
        let ours = format!(" (scripts/{}.lua:", self.module);
        let stripped = lines.lines().map(|line| match line.rsplit_once(&ours) {
            Some((before, place)) if place.ends_with(')') => format!("{before}\n"),
            Some(_) | None => format!("{line}\n"),
        });
        stripped.collect()
    }

    /// What is wrong with the scripts, as it was typed.
    pub(crate) fn load_errors(&self, errors: &[LoadError]) -> Vec<String> {
        errors
            .iter()
            .map(|error| {
                let hint = error.hint.as_ref().map(|hint| format!(" ({hint})"));
                let message = format!("{}{}", error.message, hint.unwrap_or_default());
                self.told(&error.file, error.line, &message)
            })
            .collect()
    }
}

fn body_of(kind: Kind, number: usize, text: &str) -> String {
    match kind {
        Kind::Expression => format!("repl.value({number}, {text}\n)"),
        // Nothing may follow a `return` in its block.
        Kind::Statement if is_return(text) => format!("do {text}\nend"),
        Kind::Statement => text.to_owned(),
    }
}

fn is_return(text: &str) -> bool {
    let rest = text.trim_start().strip_prefix("return");
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

fn tools_of(module: &str) -> String {
    format!("{module}-tools")
}

/// Dialled where a route of the dialplan has the number already.
const ELSEWHERE: &str = "repl";

/// Shows values, in an order that is always the same and without addresses.
const TOOLS: &str = r##"
local escapes = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }
local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(c) return escapes[c] or ("\\" .. c:byte()) end) .. '"'
end

local function before(a, b)
  local number_a, number_b = type(a) == "number", type(b) == "number"
  if number_a ~= number_b then return number_a end
  if number_a then return a < b end
  return tostring(a) < tostring(b)
end

local shown
local function fields(value, within)
  local texts, keys = {}, {}
  for index, item in ipairs(value) do texts[index] = shown(item, within) end
  for key in pairs(value) do
    local listed = math.type(key) == "integer" and key >= 1 and key <= #texts
    if not listed and (type(key) == "number" or type(key) == "string") then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, before)
  for _, key in ipairs(keys) do
    local plain = type(key) == "string" and key:match("^[%a_][%w_]*$")
    local name = plain and key or "[" .. (type(key) == "string" and quoted(key) or key) .. "]"
    texts[#texts + 1] = name .. " = " .. shown(value[key], within)
  end
  return texts
end

function shown(value, within)
  local kind = type(value)
  if kind == "string" then return quoted(value) end
  if math.type(value) == "float" then
    local text = ("%.6g"):format(value)
    return text:find("^-?%d+$") and text .. ".0" or text
  end
  if kind == "function" then return "a function" end
  if kind ~= "table" then return tostring(value) end
  if getmetatable(value) == false then return "something of the exchange" end
  if within[value] then return "{ the same again }" end
  within[value] = true
  local texts = fields(value, within)
  within[value] = nil
  return #texts == 0 and "{}" or "{ " .. table.concat(texts, ", ") .. " }"
end

local tools = {}
function tools.value(number, ...)
  local texts = {}
  for i = 1, select("#", ...) do texts[i] = shown((select(i, ...)), {}) end
  if #texts > 0 then log.debug("MARK " .. number .. " = " .. table.concat(texts, ", ")) end
end
function tools.done(number)
  log.debug("MARK " .. number .. " done")
end
return tools
"##;
