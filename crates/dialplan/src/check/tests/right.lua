-- case: what is known only at run time
  local function number() return tostring(101) end
  route("1", function(call)
    call:play("wel" .. number())
    call:dial("ext/" .. call.to.user)
    call:dial({ "ext/" .. number(), number() })
    call:go(number())
    call:sleep(tonumber(number()))
    call:play(call.vars.prompt)
    local x = { call = 1 }
    x.call:anything()
  end)
-- case: arguments that may be left out
  route("1", function(call)
    call:play("welcome")
    call:play({ "welcome", "silence:1", "tone:440:0.5" }, { barge = true, gain = -3 })
    call:play { "welcome", "bye" }
    call:read()
    call:read { terminator = false, max = 4, match = { "1XX", "0" } }
    call:read { terminator = 5, timeout = 0.5 }
    call:mailbox()
    call:mailbox(call.account)
    call:say(5)
    call:say("5", { as = "digits", lang = "en" })
    call:dial({ { "ext/101", { to = "ext/102", delay = 5 } }, { "sip:a@b" } }, { timeout = 20 })
  end)
  route(3, function(call) call:reject(486, { headers = { ["X-Why"] = "late" } }) end)
  route(2, { public = true }, function(call) call:redirect { { uri = "tel:+1", q = 0.5 }, "sip:a@b" } end)
  route("support", function(call) call:reject(480, nil) end)
-- case: a value may be missing where it is asked for before
  route("1", function(call)
    local music = call.account and "music/evening"
    local who = call.from.user == "1" and "101" or nil
    call:answer()
    if music then call:play(music) end
    if who then call:dial("ext/" .. who) end
    local pick = call.account and 5 or "5"
    call:say(pick)
    call:dial("ext/101", { music = nil })
  end)
-- case: a local that changes is not followed
  local greeting = "nothing"
  greeting = "welcome"
  route("1", function(call)
    local prompt
    if call.account then prompt = "welcome" else prompt = "bye" end
    call:play(prompt)
    call:play(greeting)
  end)
-- case: functions around functions
  local function announced(handler)
    return function(call)
      call:answer()
      call:play("welcome")
      return handler(call)
    end
  end
  route("1", announced(function(call) call:echo() end))
  route("2", announced(function(call) call:dial("ext/101") end))
-- case: modules with state of their own
  local lib = require "lib"
  lib.add("101")
  route("1", function(call)
    if lib.has(call.from.user) then call:dial("ext/101") else call:busy() end
  end)
-- file: lib.lua
  local M = { count = 0 }
  local known = {}
  function M.add(number)
    known[number] = true
    M.count = M.count + 1
  end
  function M.has(number) return known[number] end
  return M
-- case: conditions that belong together
  route("1", function(call)
    local open = time.open("mon-fri 9-17")
    if not open then
      call:reject(480)
    end
    if open then
      call:dial("ext/101")
    end
  end)
  route("2", function(call)
    local r = call:dial("ext/101")
    if r.code == 404 then call:reject(404) end
    if r.status ~= "ANSWERED" then call:voicemail("101", { reason = r.status }) end
  end)
  route("3", function(call)
    if call.from.user ~= "101" and call.from.user ~= "102" then return call:reject(403) end
    call:dial("ext/101")
  end)
-- case: waiting in loops
  route("1", function(call)
    call:answer()
    for _ = 1, 3 do
      local digits = call:read { prompt = "menu", max = 4 }
      if digits == "4711" then
        call:dial("ext/101")
        return
      end
    end
    call:hangup()
  end)
  route("2", function(call)
    call:queued { place = 1 }
    while true do
      local result = call:dial("ext/101")
      if result.status == "ANSWERED" then break end
      call:sleep(5)
    end
  end)
  route("3", function(call)
    repeat
      local pressed = call:menu { prompt = "menu", ["1"] = function() end, ["*"] = function() end }
    until pressed ~= "*"
  end)
-- case: what runs beside
  route("1", function(call)
    spawn(function()
      call:sleep(3600)
      call:hangup()
    end)
    call:dial("ext/101")
  end)
  route("2", function(call)
    local finished = within(20, function() return call:dial("ext/101") end)
    if not finished then log.info("too long") end
  end)
  route("3", function(call)
    local winner = race {
      function() call:play("music/evening", { loop = true }) end,
      function() call:sleep(30) end,
    }
    if winner == 1 then call:play("bye") end
  end)
  route("4", function(call)
    local ok, problem = pcall(function() call:dial("ext/101") end)
    if not ok then log.error(problem) end
  end)
  route("5", function(call)
    local child <close> = setmetatable({}, { __close = function() log("closed") end })
    call:on_hangup(function(cause, code) log.info(cause, code) end)
    call:echo()
  end)
-- case: actions by key
  local actions = {
    ["1"] = function(call) call:dial("ext/101") end,
    ["2"] = function(call) call:play("welcome") end,
  }
  route("1", function(call)
    local act = actions[call:read { max = 1 } or "2"]
    act(call)
  end)
  route("2", function(call)
    local own = { first = function() call:dial("ext/101") end }
    own.first()
  end)
-- case: globals made at load, on purpose
  office = { number = "101" }
  function ring(call, number) call:dial("ext/" .. number) end
  _G.other = 1
  route("1", function(call)
    ring(call, office.number)
    log.info(other)
    if _G.maybe then log.info("maybe") end
  end)
-- case: labels to go on with a loop
  route("1", function(call)
    for i = 1, 3 do
      if i == 2 then goto continue end
      call:play("welcome")
      ::continue::
    end
  end)
-- case: an object with methods
  local Queue = {}
  Queue.__index = Queue
  function Queue.new() return setmetatable({ waiting = {} }, Queue) end
  function Queue:add(who) self.waiting[#self.waiting + 1] = who end
  route("1", function(call)
    local queue = Queue.new()
    queue:add(call.id)
    call:busy()
  end)
-- case: recursion
  local function count(n)
    if n == 0 then return 0 end
    return 1 + count(n - 1)
  end
  route("1", function(call) call:say(count(3)) end)
-- case: a parameter that is not the call, and values that tests know
  local function describe(entry) return entry.status .. entry.anything end
  route("1", function(call)
    local result = call:dial("ext/101")
    if result.status == "BUSY" or result.status == "NOANSWER" then call:voicemail("101") end
    log.info(describe { status = "x", anything = "y" })
  end)
-- case: careful returns
  route("1", function(call)
    if not call.account then
      call:busy()
      return
    end
    call:dial("ext/101")
    return
  end)
-- case: a route for the rest
  route(".", function(call) call:busy() end)
  route("X.", function(call) call:busy() end)
  route("1XX", function(call) call:go("9") end)
  for _, number in ipairs { "7", "8" } do
    route(number, function(call) call:go("nowhere") end)
  end
-- case: a library offers more than one script uses, and a file can be left alone
  local hours = require "lib.hours"
  route("1", function(call) if hours.open() then call:busy() else call:answer() end end)
-- file: lib/hours.lua
  local M = {}
  function M.open() return time.open("mon-fri") end
  function M.closed() return not M.open() end
  return M
-- file: lib/later.lua
  -- check: allow-file unused-file
  return 1
-- case: locals whose values are looked at, or never get there
  local night = time.open("mon-fri 18:00-08:00")
  local function stop(call) call:hangup() end
  route("1", function(call)
    local prompt = "none"
    if night then prompt = "bye" end
    if prompt ~= "none" then call:play(prompt) end
    local t = "20"
    t = tonumber(t)
    call:dial("ext/101", { timeout = t })
    local first = "5"
    if type(first) == "string" then first = tonumber(first) end
    call:sleep(first)
    local target = "ext/"
    target = target .. call.to.user
    call:dial(target)
    local sound, loud = "mark", false
    if night then sound, loud = "bye", true end
    if loud then call:play(sound) end
    local who = "nobody"
    if call.account then who = "ext/101" else stop(call) end
    call:dial(who)
    local found = "nowhere"
    for _, name in ipairs { "101", "102" } do
      if name == call.to.user then found = "ext/" .. name break end
    end
    call:dial(found)
    local last
    while not last do last = call:read { max = 1 } end
    call:say(last)
    local later = "later"
    local function change() later = "bye" end
    change()
    call:play(later)
    local chosen = "chosen"
    if night then chosen = "bye" else return end
    call:play(chosen)
    local several = night and "x" or "y"
    several = several == "x" and "bye" or "welcome"
    call:play(several)
  end)
-- case: options that are put together, and a table that holds more for a while
  route("1", function(call)
    local options = { timeout = 5 }
    options.mine = call.account
    log.info(options.mine)
    options.mine = nil
    call:dial("ext/101", options)
    local own = {}
    call:dial("ext/101", own)
    own.result = 5
    log.info(own.result)
    local more = {}
    if night then more = { timeout = "x" } end
    more.timeout = 5
    call:dial("ext/101", more)
  end)
  night = false
-- case: coroutine-like closures, varargs, metatables and long strings
  local function each(list)
    local at = 0
    return function() at = at + 1 return list[at] end
  end
  local Text = setmetatable({}, { __call = function(_, words) return words end })
  local function first(...) local one = ... return one, select("#", ...) end
  local vector = setmetatable({}, { __add = function() return 1 end })
  local long = [[
    it is "quoted" and != nothing
  ]]
  route("1", function(call)
    for target in each { "ext/101", "ext/102" } do call:dial(target) end
    log.info(Text { "a" }, first(1, 2), vector + 1, long:upper():len(), ("%s"):format("x"))
    log.info(#"abc" + 1, "7" * 2, -"2", 10 // 3, 7 & 3, "a" .. 1 .. 2.5)
    if optional then log.info("there") end
    if rawget(_G, "other") then log.info("other") end
    local list = { [0] = "a", "b" }
    log.info(list[0], list[1])
    return call:hangup()
  end)

