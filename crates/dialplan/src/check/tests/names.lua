-- case: globals that nothing sets
  local timeout = 5
--      ^^^^^^^ unused-local: nothing reads timeout (delete it, or begin its name with _)
  route("1", function(call)
    call:sleep(timout)
--             ^^^^^^ unknown-global: nothing sets the global timout, so it is nil (did you mean timeout?)
    call:play(greeting)
--            ^^^^^^^^ unknown-global: nothing sets the global greeting, so it is nil
    pirnt("x")
--  ^^^^^ unknown-function: nothing sets the global pirnt, so it cannot be called (did you mean print?)
    local near = 1
    log.info(neer, near)
--           ^^^^ unknown-global: nothing sets the global neer, so it is nil (did you mean near?)
    log.info(x)
--           ^ unknown-global: nothing sets the global x, so it is nil
    do local inner = 1 log.info(inner) end
    log.info(inner)
--           ^^^^^ unknown-global: nothing sets the global inner, so it is nil (the local inner is not seen here; declare it further out or above)
  end)
  call:answer()
--^^^^ unknown-function: nothing sets the global call, so there is nothing in it (call is what a function is given: function(call) ... end)
-- case: globals that are called and never set
  rout("1", function(call)
--^^^^ unknown-function: nothing sets the global rout, so it cannot be called (did you mean route?)
    spwan(function() logg.info("x") end)
--  ^^^^^ unknown-function: nothing sets the global spwan, so it cannot be called (did you mean spawn?)
--                   ^^^^ unknown-function: nothing sets the global logg, so there is nothing in it (did you mean log?)
  end)
  if optional then optional() end
--   ^^^^^^^^ unknown-global: nothing sets the global optional, so it is nil
--                 ^^^^^^^^ unknown-global: nothing sets the global optional, so it is nil
  pcall(function() risky.thing() end)
--                 ^^^^^ unknown-global: nothing sets the global risky, so it is nil
-- case: globals that only another file sets
  greet("1")
--^^^^^ unknown-function: no file that is loaded sets the global greet, so it cannot be called (scripts/helpers.lua does; write require "helpers")
  log.info(colour)
-- file: helpers.lua
  -- check: allow-file unused-file
  function greet(who) log.info(who) end
-- file: tests/night.lua
  colour = "red"
-- case: globals set by accident
  helper = nil
  route("1", function(call)
    result = call:dial("ext/101")
--  ^^^^^^ accidental-global: this sets a global result, which this call alone will see (write local result)
    log.info(result.status)
    language = "en"
--  ^^^^^^^^ accidental-global: this sets a global language, which this call alone will see (write call.vars.language for a value that belongs to the call)
    function speak() call:play("welcome") end
--           ^^^^^ accidental-global: this sets a global speak, which this call alone will see (write local function speak)
    speak()
  end)
  route("2", function(call) call:play(language .. "/welcome") log.info(helper) end)
-- case: locals that nothing reads
  local limit = 5
--      ^^^^^ unused-local: nothing reads limit (delete it, or begin its name with _)
  local first, second = 1, 2
  route("1", function(call)
    local result = call:dial("ext/101")
--        ^^^^^^ unused-local: nothing reads result (leave out the name and the =, or begin the name with _)
    local digits, why = call:read()
    local nothing
--        ^^^^^^^ unused-local: nothing reads nothing (delete it, or begin its name with _)
    return why, second
  end)
-- case: functions that nothing calls
  local M = {}
  local function lonely() end
--               ^^^^^^ unused-function: nothing calls the function lonely (delete it, or begin its name with _ if it is there for later)
  local function itself() itself() end
--               ^^^^^^ unused-function: nothing calls the function itself (delete it, or begin its name with _ if it is there for later)
  local anonymous = function() end
--      ^^^^^^^^^ unused-function: nothing calls the function anonymous (delete it, or begin its name with _ if it is there for later)
  function everybodys() end
--         ^^^^^^^^^^ unused-function: nothing calls the function everybodys (delete it, or begin its name with _ if it is there for later)
  function M.helper() end
--           ^^^^^^ unused-function: nothing calls the function helper (delete it, or begin its name with _ if it is there for later)
  M.other = function() end
--  ^^^^^ unused-function: nothing calls the function other (delete it, or begin its name with _ if it is there for later)
  function M.used() end
  M.used()
-- case: a table that all calls have in common
  local counts = {}
  local list = { 1, 2 }
  settings = {}
  local function note(call)
    counts[call.from.user] = (counts[call.from.user] or 0) + 1
--  ^^^^^^ shared-table: this changes counts for all calls that there are, and until a reload (call.vars is a table of the call's own; shared.set keeps what all calls should see)
  end
  route("1", function(call)
    note(call)
    counts.all = 1
--  ^^^^^^ shared-table: this changes counts for all calls that there are, and until a reload (call.vars is a table of the call's own; shared.set keeps what all calls should see)
    table.insert(list, call.id)
--               ^^^^ shared-table: this changes list for all calls that there are, and until a reload (call.vars is a table of the call's own; shared.set keeps what all calls should see)
    settings.night = true
--  ^^^^^^^^ shared-table: this changes settings for all calls that there are, and until a reload (call.vars is a table of the call's own; shared.set keeps what all calls should see)
    local own = {}
    own.x = 1
    table.insert(own, 1)
    spawn(function() counts.all = 2 end)
--                   ^^^^^^ shared-table: this changes counts for all calls that there are, and until a reload (call.vars is a table of the call's own; shared.set keeps what all calls should see)
    call:busy()
  end)

-- case: words of other exchanges and languages
  route("1", function(call)
    Playback("welcome")
--  ^^^^^^^^ unknown-function: nothing sets the global Playback, so it cannot be called (write call:play)
    Hangup()
--  ^^^^^^ unknown-function: nothing sets the global Hangup, so it cannot be called (write call:hangup)
    call:wait(1)
--       ^^^^ unknown-verb: there is no verb call:wait (write call:sleep)
    if call.account == null then call:busy() end
--                     ^^^^ unknown-global: nothing sets the global null, so it is nil (write nil)
  end)
