-- For scripts that were written for FreeSWITCH: a `session` with the methods that most of them use.
--
--   local freeswitch = require "compat.freeswitch"
--
--   route("5000", function(call)
--     local session = freeswitch.session(call)
--     session:answer()
--     session:streamFile("ivr/ivr-welcome.wav")
--   end)
--
-- It is a thin layer over the verbs of `call`, meant for moving over step by step; new code reads
-- better with the verbs themselves. What has no counterpart is an error that names the way to go.
--
-- Different on purpose:
--   * When the caller hangs up, the script stops at that line. `session:ready()` is always true, and
--     what must happen afterwards belongs into `session:setHangupHook`.
--   * `session:hangup()` ends the script there, as every final verb does.
--   * A failed bridge never hangs up by itself: look at `session:getVariable("originate_disposition")`.
--   * Sounds are looked for under `prompts/`, without their ending. `freeswitch.sounds` may name
--     others in their stead: freeswitch.sounds["ivr/ivr-welcome.wav"] = "main/welcome"
--
-- Only dialplans that come from FreeSWITCH require it.
-- check: allow-file unused-file

local freeswitch = {}

-- Raises an error at the line of the script that called us, however deep we are.
local function blame(problem)
  for level = 2, 20 do
    local _, where = pcall(error, "", level)
    where = tostring(where)
    if where:find("^scripts/") and not where:find("^scripts/compat/") then
      error(where .. problem, 0)
    end
  end
  error(problem, 0)
end

-- Asks for a verb; what is wrong with it is told at the line of the script that called us.
local function ask(call, verb, ...)
  local ok, result, why = pcall(call[verb], call, ...)
  if not ok then blame((tostring(result):gsub("^scripts/compat/[%w_]+%.lua:%d+: ", ""))) end
  return result, why
end

local function unsupported(what, way) blame(what .. " is not available: " .. way) end

--- Sounds by the path that scripts use, with the prompts to play instead. Fill it while loading.
---@type table<string, string|string[]>
freeswitch.sounds = {}

-- Regular expressions --------------------------------------------------------------------------------

-- What `playAndGetDigits` checks digits with. An expression becomes a function that takes the text, a
-- place in it and what must match behind.

---@type fun(pattern: string, at: integer): function?, integer?
local parse_choice

local function one_of(set)
  return function(text, at, rest)
    return at <= #text and set(text:sub(at, at)) and rest(at + 1)
  end
end

local function parse_set(pattern, at)
  local ranges, negated = {}, false
  if pattern:sub(at, at) == "^" then
    negated, at = true, at + 1
  end
  while pattern:sub(at, at) ~= "]" do
    local from = pattern:sub(at, at)
    if from == "" then return nil end
    if from == "\\" and pattern:sub(at + 1, at + 1) == "d" then
      ranges[#ranges + 1] = { "0", "9" }
      at = at + 2
    else
      if from == "\\" then
        at = at + 1
        from = pattern:sub(at, at)
      end
      local to = pattern:match("^%-([^%]])", at + 1)
      ranges[#ranges + 1] = { from, to or from }
      at = at + (to and 3 or 1)
    end
  end
  return one_of(function(c)
    for _, range in ipairs(ranges) do
      if c >= range[1] and c <= range[2] then return not negated end
    end
    return negated
  end), at + 1
end

local function parse_atom(pattern, at)
  local c = pattern:sub(at, at)
  if c == "(" then
    if pattern:sub(at + 1, at + 2) == "?:" then at = at + 2 end
    local choice, after = parse_choice(pattern, at + 1)
    if not choice or pattern:sub(after, after) ~= ")" then return nil end
    return choice, after + 1
  elseif c == "[" then
    return parse_set(pattern, at + 1)
  elseif c == "." then
    return one_of(function() return true end), at + 1
  elseif c == "^" then
    return function(_, place, rest) return place == 1 and rest(place) end, at + 1
  elseif c == "$" then
    return function(text, place, rest) return place == #text + 1 and rest(place) end, at + 1
  elseif c == "\\" then
    local escaped = pattern:sub(at + 1, at + 1)
    if escaped == "d" then return one_of(function(d) return d >= "0" and d <= "9" end), at + 2 end
    if escaped == "" or escaped:find("%a") then return nil end
    return one_of(function(d) return d == escaped end), at + 2
  elseif c:find("[*+?{]") then
    return nil
  end
  return one_of(function(d) return d == c end), at + 1
end

local function repeated(atom, least, most)
  local function from(count, text, at, rest)
    local function again(next)
      -- What matched nothing would match nothing for ever.
      return next > at and from(count + 1, text, next, rest)
    end
    if count < most and atom(text, at, again) then return true end
    return count >= least and rest(at)
  end
  return function(text, at, rest) return from(0, text, at, rest) end
end

local function parse_item(pattern, at)
  local atom, after = parse_atom(pattern, at)
  if not atom then return nil end
  local sign = pattern:sub(after, after)
  if sign == "*" then return repeated(atom, 0, math.huge), after + 1 end
  if sign == "+" then return repeated(atom, 1, math.huge), after + 1 end
  if sign == "?" then return repeated(atom, 0, 1), after + 1 end
  if sign == "{" then
    local least, comma, most, next = pattern:match("^{(%d+)(,?)(%d*)}()", after)
    if not least then return nil end
    if comma == "" then most = least end
    return repeated(atom, tonumber(least), tonumber(most) or math.huge), next
  end
  return atom, after
end

local function parse_sequence(pattern, at)
  local items = {}
  while at <= #pattern and not pattern:find("^[|)]", at) do
    local item, after = parse_item(pattern, at)
    if not item then return nil end
    items[#items + 1], at = item, after
  end
  local function match(index, text, place, rest)
    local item = items[index]
    if not item then return rest(place) end
    return item(text, place, function(next) return match(index + 1, text, next, rest) end)
  end
  return function(text, place, rest) return match(1, text, place, rest) end, at
end

function parse_choice(pattern, at)
  local choices = {}
  repeat
    local sequence, after = parse_sequence(pattern, at)
    if not sequence then return nil end
    choices[#choices + 1] = sequence
    at = after + 1
  until pattern:sub(after, after) ~= "|"
  return function(text, place, rest)
    for _, sequence in ipairs(choices) do
      if sequence(text, place, rest) then return true end
    end
    return false
  end, at - 1
end

-- Whether the text has the expression in it; nil if the expression is beyond this.
local function matches(pattern, text)
  local expression, after = parse_choice(pattern, 1)
  if not expression or after <= #pattern then return nil end
  for at = 1, #text + 1 do
    if expression(text, at, function() return true end) then return true end
  end
  return false
end

-- Values ---------------------------------------------------------------------------------------------

-- Seconds out of milliseconds, within what a verb takes.
local function seconds(ms, least)
  local number = (tonumber(ms) or 0) / 1000
  return math.max(number, least)
end

local function one_key(terminators)
  terminators = tostring(terminators or "")
  if terminators == "" or terminators == "none" then return false end
  if #terminators > 1 then
    blame("terminators \"" .. terminators .. "\": one key can end the input, as \"#\" does")
  end
  return terminators
end

-- What a path of FreeSWITCH's means: the sounds to play, one after the other.
local function sounds(path)
  path = tostring(path)
  local own = freeswitch.sounds[path]
  if own then return type(own) == "table" and own or { own } end
  local list = path:match("^file_string://(.*)")
  if list then
    local all = {}
    for part in list:gmatch("[^!]+") do
      for _, sound in ipairs(sounds(part)) do all[#all + 1] = sound end
    end
    return all
  end
  local ms = path:match("^silence_stream://(%d+)")
  if ms then return { "silence:" .. seconds(ms, 0) } end
  local on, off, first, second =
    path:match("^tone_stream://.*%%%((%d+),(%d+),([%d.]+),?([%d.]*)%)")
  if on then
    local sounding, silent = seconds(on, 0), seconds(off, 0)
    local tone = "tone:" .. first .. (second ~= "" and "+" .. second or "")
    -- It sounds once, unless it is told to go on for ever.
    if path:find("loops=-1", 1, true) then return { tone .. "/" .. sounding .. "," .. silent } end
    return { tone .. ":" .. sounding, "silence:" .. silent }
  end
  local text = path:match("^say:(.*)")
  if text then return { { speak = text } } end
  local kind = path:match("^(%a[%w_]*):")
  if kind then
    blame(path .. ": name a prompt to play instead, as in freeswitch.sounds[\"" .. path
      .. "\"] = \"music/evening\"")
  end
  if path:sub(1, 1) == "/" then
    blame(path .. ": copy the file to the folder prompts/en/ and write its path there, or name a "
      .. "prompt to play instead: freeswitch.sounds[\"" .. path .. "\"] = \"main/welcome\"")
  end
  return { (path:gsub("%.%w+$", "")) }
end

-- Causes by their names, as Cordboard's words and as SIP statuses (RFC 3398).
local causes = {
  NORMAL_CLEARING = { "normal", 200 },
  NORMAL_TEMPORARY_FAILURE = { "congestion", 503 },
  NORMAL_CIRCUIT_CONGESTION = { "congestion", 503 },
  SWITCH_CONGESTION = { "congestion", 503 },
  USER_BUSY = { "busy", 486 },
  CALL_REJECTED = { "rejected", 603 },
  UNALLOCATED_NUMBER = { "unallocated", 404 },
  NO_ROUTE_DESTINATION = { "unallocated", 404 },
  NO_USER_RESPONSE = { "normal", 408 },
  NO_ANSWER = { "normal", 480 },
  ORIGINATOR_CANCEL = { "normal", 487 },
}
-- Numbers of Q.850, which may be given instead.
local numbers = {
  [1] = "UNALLOCATED_NUMBER",
  [3] = "NO_ROUTE_DESTINATION",
  [16] = "NORMAL_CLEARING",
  [17] = "USER_BUSY",
  [18] = "NO_USER_RESPONSE",
  [19] = "NO_ANSWER",
  [21] = "CALL_REJECTED",
  [34] = "NORMAL_CIRCUIT_CONGESTION",
  [41] = "NORMAL_TEMPORARY_FAILURE",
  [42] = "SWITCH_CONGESTION",
}
local by_status = {
  [200] = "NORMAL_CLEARING",
  [403] = "CALL_REJECTED",
  [404] = "UNALLOCATED_NUMBER",
  [408] = "NO_USER_RESPONSE",
  [480] = "NO_ANSWER",
  [486] = "USER_BUSY",
  [487] = "ORIGINATOR_CANCEL",
  [503] = "NORMAL_TEMPORARY_FAILURE",
  [600] = "USER_BUSY",
  [603] = "CALL_REJECTED",
}
local dispositions = {
  ANSWERED = "SUCCESS",
  BUSY = "USER_BUSY",
  NOANSWER = "NO_ANSWER",
  CANCEL = "ORIGINATOR_CANCEL",
  CONGESTION = "NORMAL_TEMPORARY_FAILURE",
  CHANUNAVAIL = "USER_NOT_REGISTERED",
}

local levels = {
  console = "info", alert = "error", crit = "error", err = "error", error = "error",
  warning = "warn", notice = "info", info = "info", debug = "debug",
  ["0"] = "info", ["1"] = "error", ["2"] = "error", ["3"] = "error",
  ["4"] = "warn", ["5"] = "info", ["6"] = "info", ["7"] = "debug",
}

--- Writes a line to the log.
function freeswitch.consoleLog(level, text)
  local name = levels[tostring(level):lower()] or "info"
  log[name]((tostring(text):gsub("%s+$", "")))
end

-- Whom to ring ---------------------------------------------------------------------------------------

-- Settings of a bridge that Cordboard has.
local function note_setting(options, name, value)
  if name == "call_timeout" or name == "originate_timeout" or name == "leg_timeout" then
    options.timeout = tonumber(value)
  elseif name == "leg_delay_start" then
    options.delay = tonumber(value)
  elseif name == "origination_caller_id_number" or name == "effective_caller_id_number" then
    options.user = value
  elseif name == "origination_caller_id_name" or name == "effective_caller_id_name" then
    options.name = value
  elseif name ~= "ignore_early_media" and name ~= "hangup_after_bridge"
    and name ~= "continue_on_fail" then
    log.debug("the setting", name, "of a bridge has no counterpart and is left out")
  end
end

local function settings(options, text)
  for pair in text:gmatch("[^,]+") do
    local name, value = pair:match("^%s*([^=]+)=(.*)$")
    if name then note_setting(options, name, (value:gsub("^'(.*)'$", "%1"))) end
  end
end

-- A target as `call:dial` takes it.
local function target(text)
  local own = {}
  text = text:gsub("^%s+", ""):gsub("%s+$", "")
  local inner, rest = text:match("^%[(.-)%](.*)")
  if inner then
    settings(own, inner)
    text = rest
  end
  local to = text:match("^user/([^@]+)")
  local gateway, number = text:match("^sofia/gateway/([^/]+)/(.+)")
  local address = text:match("^sofia/[^/]+/(.+)")
  if to then
    to = "ext/" .. to
  elseif gateway then
    blame(text .. ": there are no gateways; ring the provider's address itself, as in "
      .. "\"sip:" .. number .. "@HOST\"")
  elseif address then
    to = address:find("^sips?:") and address or "sip:" .. address
  elseif text:find("^sips?:") or text:find("^ext/") then
    to = text
  else
    blame("\"" .. text .. "\" cannot be rung; write user/NUMBER or sofia/PROFILE/USER@HOST")
  end
  return { to = to, timeout = own.timeout, delay = own.delay }
end

-- A dial string as rounds and options of `call:dial`.
local function dial_string(text, variables)
  local shared = {}
  for _, name in ipairs { "call_timeout", "effective_caller_id_number", "effective_caller_id_name" } do
    if variables[name] then note_setting(shared, name, tostring(variables[name])) end
  end
  local inner, rest = text:match("^%s*[{<](.-)[}>](.*)")
  if inner then
    settings(shared, inner)
    text = rest
  end
  if text:find(":_:", 1, true) then
    blame("\":_:\" is not available: write targets with \",\" to ring together and \"|\" in turn")
  end
  -- A comma within brackets belongs to the settings of one target.
  text = text:gsub("%b[]", function(part) return (part:gsub(",", "\1")) end)
  local rounds = {}
  for round in text:gmatch("[^|]+") do
    local targets = {}
    for part in round:gmatch("[^,]+") do
      targets[#targets + 1] = target((part:gsub("\1", ",")))
    end
    rounds[#rounds + 1] = targets
  end
  local options = { timeout = shared.timeout }
  if shared.user or shared.name then
    options.caller = { user = shared.user, name = shared.name }
  end
  return rounds, options
end

-- The session ----------------------------------------------------------------------------------------

local session = {}

-- Methods that FreeSWITCH has and Cordboard does otherwise.
local elsewhere = {
  collectDigits = "use session:getDigits or call:read",
  getXMLCDR = "call records are in the database; call:on_hangup tells cause and code",
  insertFile = "play one sound after the other: call:play { \"a\", \"b\" }",
  sayPhrase = "there are no phrase macros; use call:play { ... } and call:say",
  sendEvent = "there is no event socket; use http.post, or the exchange's own log",
  setEventData = "there is no event socket",
  waitForAnswer = "call:dial and pbx.originate come back when there is an answer",
}

local metatable = {
  __index = function(_, name)
    local method = session[name]
    if method then return method end
    local way = elsewhere[name] or "use the verbs of call; from-freeswitch.md in scripts/docs says which"
    unsupported("session:" .. tostring(name), way)
  end,
  __name = "session",
}

--- A session for a call. Everything that it cannot do, the call itself can.
function freeswitch.session(call)
  return setmetatable({
    call = call,
    is_answered = false,
    cause = "NONE",
    on_input = false,
    input_argument = false,
  }, metatable)
end

function session:answer()
  self.call:answer()
  self.is_answered = true
end

function session:preAnswer() self.call:progress() end

--- Always true: a script does not outlive its call.
function session:ready() return true end

session.mediaReady = session.ready

function session:answered() return self.is_answered end

function session:bridged() return false end

function session:get_uuid() return self.call.id end

function session:hangupCause() return self.cause end

function session:hangup(cause)
  local name = numbers[tonumber(cause)] or cause or "NORMAL_CLEARING"
  local known = causes[tostring(name):upper()]
  if not known then
    return blame("hangup: \"" .. tostring(cause) .. "\" is not known; call:reject(CODE, REASON) ends a call "
      .. "with any SIP status")
  end
  self.cause = tostring(name):upper()
  ask(self.call, "hangup", known[1])
end

function session:sleep(ms) ask(self.call, "sleep", seconds(ms, 0)) end

function session:consoleLog(level, text) freeswitch.consoleLog(level, text) end

-- Plays sounds; keys go to the input callback if there is one, which may stop it.
local function play(self, list, from)
  if not self.on_input then
    ask(self.call, "play", list, from and { from = from })
    return
  end
  -- One after the other, so that each can go on where a key interrupted it.
  for _, sound in ipairs(list) do
    local at = from or 0
    from = nil
    repeat
      local played = ask(self.call, "play", sound, { barge = true, from = at })
      if played.digit then
        at = at + played.ms / 1000
        local key = { digit = played.digit, duration = 2000 }
        local wish = self.on_input(self, "dtmf", key, self.input_argument)
        if wish == "break" or wish == "stop" or wish == "done" then return end
      end
    until not played.digit
  end
end

function session:streamFile(path, samples)
  play(self, sounds(path), samples and (tonumber(samples) or 0) / 8000 or nil)
end

--- Who speaks texts from now on. Which engine does is a matter of [speech] in cordboard.toml.
function session:set_tts_params(_, voice) self.call.vars.tts_voice = voice end

session.set_tts_parms = session.set_tts_params

--- Speaks a text; keys go to the input callback, as with a file.
function session:speak(text)
  local voice = self.call.vars.tts_voice
  play(self, { { speak = text, voice = voice ~= "" and voice or nil } })
end

-- A function, or the name of a global one.
local function hook(what, fn)
  if type(fn) == "string" then
    local named = _G[fn]
    if type(named) ~= "function" then
      blame(what .. ": there is no global function " .. fn .. "; pass the function itself")
    end
    return named
  end
  if type(fn) ~= "function" then blame(what .. ": expected a function or its name") end
  return fn
end

function session:setInputCallback(fn, argument)
  self.on_input = hook("setInputCallback", fn)
  self.input_argument = argument or ""
end

function session:unsetInputCallback() self.on_input = false end

function session:setHangupHook(fn, argument)
  fn = hook("setHangupHook", fn)
  self.call:on_hangup(function(_, code)
    if self.cause == "NONE" then self.cause = by_status[code] or "NORMAL_UNSPECIFIED" end
    fn(self, "hangup", argument)
  end)
end

function session:setAutoHangup(hangs_up)
  if hangs_up == false then
    unsupported("setAutoHangup(false)", "a call ends with its route; session:transfer(NUMBER) or "
      .. "call:go(NUMBER) goes on with another")
  end
end

function session:flushDigits()
  ask(self.call, "read", { max = 64, timeout = 0.2, between = 0.2, terminator = false })
end

function session:getDigits(max, terminators, timeout, between)
  return ask(self.call, "read", {
    max = tonumber(max),
    terminator = one_key(terminators),
    timeout = seconds(timeout or 5000, 0.2),
    between = between and seconds(between, 0.2) or nil,
  }) or ""
end

function session:read(min, max, path, timeout, terminators)
  local digits = ask(self.call, "read", {
    prompt = path and path ~= "" and sounds(path) or nil,
    max = tonumber(max),
    terminator = one_key(terminators),
    timeout = seconds(timeout or 5000, 0.2),
  }) or ""
  return #digits >= (tonumber(min) or 0) and digits or ""
end

function session:playAndGetDigits(min, max, tries, timeout, terminators, path, bad, regex, variable,
                                  between)
  local prompt = path and path ~= "" and sounds(path) or nil
  local invalid = bad and bad ~= "" and sounds(bad) or nil
  local terminator = one_key(terminators)
  if regex and regex ~= "" and matches(regex, "") == nil then
    blame("playAndGetDigits: the expression \"" .. regex .. "\" is too much for this; use call:read "
      .. "with match = { ... } and patterns")
  end
  min, max, tries = tonumber(min) or 0, tonumber(max), tonumber(tries) or 1
  for _ = 1, tries do
    local digits = ask(self.call, "read", {
      prompt = prompt,
      max = max,
      terminator = terminator,
      timeout = seconds(timeout or 5000, 0.2),
      between = between and seconds(between, 0.2) or nil,
    }) or ""
    local fits = #digits >= min and (not regex or regex == "" or matches(regex, digits))
    if fits then
      if variable and variable ~= "" then self:setVariable(variable, digits) end
      return digits
    end
    if invalid then play(self, invalid) end
  end
  return ""
end

-- How FreeSWITCH names what is said, and how Cordboard does.
local said = {
  number = { pronounced = "number", counted = "number", iterated = "digits" },
  telephone_number = { iterated = "digits", pronounced = "digits" },
  telephone_extension = { iterated = "digits", pronounced = "digits" },
  account_number = { iterated = "digits", pronounced = "digits" },
  name_spelled = { iterated = "spell", pronounced = "spell" },
  current_date = { pronounced = "date", iterated = "date" },
  current_time = { pronounced = "time", iterated = "time" },
}

function session:say(what, _, kind, method)
  local as = (said[tostring(kind):lower()] or {})[tostring(method or "pronounced"):lower()]
  if not as then
    unsupported("say " .. tostring(kind) .. " " .. tostring(method), "call:say speaks numbers, digits, "
      .. "letters, times and dates")
  end
  local value = what
  if as ~= "digits" and as ~= "spell" then value = tonumber(what) or what end
  ask(self.call, "say", value, { as = as })
end

function session:recordFile(path, limit, _, silence)
  local name = tostring(path):match("([^/]+)$") or ""
  ask(self.call, "record", {
    name = (name:gsub("%.%w+$", ""):gsub("[^%w_-]", "-")),
    max = tonumber(limit),
    silence = tonumber(silence),
    beep = false,
    terminator = false,
  })
  self.is_answered = true
end

-- Variables that tell of the call itself.
local facts = {
  uuid = function(call) return call.id end,
  caller_id_number = function(call) return call.from.user end,
  caller_id_name = function(call) return call.from.name end,
  sip_from_user = function(call) return call.from.user end,
  sip_from_host = function(call) return call.from.host end,
  destination_number = function(call) return call.to.user end,
  sip_to_user = function(call) return call.to.user end,
  sip_to_host = function(call) return call.to.host end,
  domain_name = function(call) return call.to.host end,
  sip_auth_username = function(call) return call.account end,
  user_name = function(call) return call.account end,
  network_addr = function(call) return (call.source:match("^%[?(.-)%]?:%d+$")) end,
}

--- What the script set, or what is known of the call; nil if neither.
function session:getVariable(name)
  local own = self.call.vars[name]
  if own ~= nil then return own end
  local fact = facts[name]
  if fact then return fact(self.call) end
  local header = tostring(name):match("^sip_h_(.+)")
  return header and self.call.headers[header]
end

function session:setVariable(name, value)
  if tostring(name):find("^sip_h_") then
    unsupported("setVariable(\"" .. name .. "\")", "headers of calls to others cannot be set; those of "
      .. "a refusal can, with call:reject(CODE, REASON, { headers = ... })")
  end
  self.call.vars[name] = value ~= nil and tostring(value) or nil
end

--- Goes on with the route of another number, and hangs up after it.
function session:transfer(number)
  number = tostring(number):match("^%S+")
  if not self.call:go(number) then self:hangup("NO_ROUTE_DESTINATION") end
  self:hangup()
end

-- What came of a bridge stands in variables.
local function note_bridge(self, result)
  local vars = self.call.vars
  vars.DIALSTATUS = result.status
  vars.originate_disposition = dispositions[result.status]
  vars.last_bridge_hangup_cause = by_status[result.code] or "NORMAL_CLEARING"
  if result.status == "ANSWERED" then
    self.is_answered = true
    vars.bridge_seconds = tostring(math.floor(result.secs))
    if vars.hangup_after_bridge == "true" then self:hangup() end
  end
end

--- Rings and connects.
function session:bridge(text)
  local rounds, options = dial_string(tostring(text), self.call.vars)
  note_bridge(self, ask(self.call, "dial", rounds, options))
end

-- Applications ---------------------------------------------------------------------------------------

local function words(text)
  local all = {}
  for word in text:gmatch("%S+") do all[#all + 1] = word end
  return all
end

local applications = {
  answer = function(self) self:answer() end,
  pre_answer = function(self) self:preAnswer() end,
  ring_ready = function(self) self.call:ringing() end,
  playback = function(self, data) self:streamFile(data) end,
  endless_playback = function(self, data) ask(self.call, "play", sounds(data), { loop = true }) end,
  gentones = function(self, data) self:streamFile("tone_stream://" .. data) end,
  sleep = function(self, data) self:sleep(data) end,
  echo = function(self) self.call:echo() end,
  bridge = function(self, data) self:bridge(data) end,
  transfer = function(self, data) self:transfer(data) end,
  execute_extension = function(self, data) self.call:go(words(data)[1] or "") end,
  hangup = function(self, data) self:hangup(data ~= "" and data or nil) end,
  redirect = function(self, data) ask(self.call, "redirect", words(data)) end,
  respond = function(self, data)
    local code, reason = data:match("^(%d+)%s*(.*)")
    ask(self.call, "reject", tonumber(code) or data, reason ~= "" and reason or nil)
  end,
  log = function(_, data)
    local level, text = data:match("^(%a+)%s+(.*)")
    freeswitch.consoleLog(level or "info", text or data)
  end,
  info = function(self)
    log.info("from", self.call.from.user, "to", self.call.to.user, "by", self.call.account,
      "at", self.call.source)
  end,
  set = function(self, data)
    local name, value = data:match("^%s*([^=]+)=(.*)")
    self:setVariable(name or data, value)
  end,
  unset = function(self, data) self.call.vars[data] = nil end,
  record = function(self, data)
    local path, limit, threshold, silence = table.unpack(words(data))
    self:recordFile(path, limit, threshold, silence)
  end,
  say = function(self, data)
    local lang, kind, method, what = data:match("^(%S+)%s+(%S+)%s+(%S+)%s+(.*)")
    self:say(what, lang, kind, method)
  end,
  speak = function(self, data)
    local voice, text = data:match("^[^|]*|([^|]*)|(.*)")
    if voice then self:set_tts_params(nil, voice) end
    self:speak(text or data)
  end,
  read = function(self, data)
    local min, max, path, variable, timeout, terminators = table.unpack(words(data))
    self:setVariable(variable or "read_result", self:read(min, max, path, timeout, terminators))
  end,
  play_and_get_digits = function(self, data)
    local min, max, tries, timeout, terminators, path, bad, variable, regex, between =
      table.unpack(words(data))
    self:setVariable(variable or "pagd_result", self:playAndGetDigits(min, max, tries, timeout,
      terminators, path, bad, regex, nil, between))
  end,
  voicemail = function(self, data)
    local all = words(data)
    if all[1] == "check" then
      ask(self.call, "mailbox", all[4] or self.call.account)
    else
      ask(self.call, "voicemail", all[3] or self.call.to.user)
    end
    self.is_answered = true
  end,
  send_dtmf = function(self, data) ask(self.call, "dtmf", (data:match("^[^@]*"))) end,
  start_dtmf = function() end,
}
applications.export = applications.set

-- Applications that Cordboard does otherwise.
local other_applications = {
  att_xfer = "phones transfer by themselves: there is nothing to do for it in a route",
  callcenter = "a queue is a route: see queue.lua of the demo dialplan",
  conference = "there are no conferences yet",
  curl = "use http.get",
  fifo = "a queue is a route: see queue.lua of the demo dialplan",
  ivr = "use call:menu { ... }",
  javascript = "write it in Lua",
  lua = "use require, and call the function",
  park = "there is no parking yet",
  phrase = "use call:play { ... } and call:say",
  record_session = "a whole call cannot be recorded yet; call:record records the caller",
  socket = "there is no event socket; write the logic as a route",
  valet_park = "there is no parking yet",
}

--- Runs an application of the dialplan by its name.
function session:execute(name, data)
  local application = applications[name]
  if not application then
    local way = other_applications[name] or "use the verbs of call; from-freeswitch.md in scripts/docs says which"
    unsupported("the application " .. tostring(name), way)
  end
  application(self, tostring(data or ""))
end

-- A second leg ---------------------------------------------------------------------------------------

local second = {}

local second_metatable = {
  __index = function(_, name)
    local method = second[name]
    if method then return method end
    unsupported("session:" .. tostring(name) .. " of a second leg", "it can be bridged; for more, use "
      .. "pbx.originate { to = ..., run = function(call) ... end }")
  end,
  __name = "session",
}

--- Rings somebody and comes back when they have answered or nobody has; `session:ready()` of what it
--- gives tells which, and `freeswitch.bridge` joins the two.
function freeswitch.Session(text, first)
  local variables = type(first) == "table" and first.call.vars or {}
  local rounds, options = dial_string(tostring(text), variables)
  local ok, leg = pcall(pbx.originate, {
    to = rounds,
    timeout = options.timeout,
    caller = options.caller,
  })
  if not ok then blame((tostring(leg):gsub("^scripts/compat/[%w_]+%.lua:%d+: ", ""))) end
  return setmetatable({ leg = leg }, second_metatable)
end

function second:ready() return self.leg.status == "ANSWERED" end

second.answered = second.ready
second.mediaReady = second.ready

function second:hangupCause()
  return self:ready() and "NONE" or dispositions[self.leg.status] or "NORMAL_CLEARING"
end

function second:hangup() if self:ready() then self.leg:hangup() end end

--- Joins the caller and a second leg until one of them hangs up.
function freeswitch.bridge(first, other)
  if rawget(first, "leg") then first, other = other, first end
  if rawget(first, "leg") or not rawget(other, "leg") then
    blame("bridge: one of the two must be the caller's session and the other one made with "
      .. "freeswitch.Session; two others meet with pbx.originate { to = A, run = function(call) "
      .. "call:dial(B) end }")
  end
  if not other:ready() then return end
  note_bridge(first, ask(first.call, "bridge", other.leg))
end

-- The rest of the library ----------------------------------------------------------------------------

local missing = {
  API = "there is no command interface; use http, db and the verbs of call",
  Dbh = "use db.query",
  Event = "there are no events; use log, http.post and shared",
  EventConsumer = "there are no events; use call:on_hangup",
  email = "use http.post to a service that sends mail",
}

return setmetatable(freeswitch, {
  __index = function(_, name)
    local way = missing[name] or "use the verbs of call; from-freeswitch.md in scripts/docs says which"
    unsupported("freeswitch." .. tostring(name), way)
  end,
})
