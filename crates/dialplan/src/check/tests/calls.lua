-- case: verbs that are not there, whatever the call is called
  route("1", function(c)
    local caller = c
    c:awnser()
--    ^^^^^^ unknown-verb: there is no verb call:awnser (did you mean call:answer?)
    caller:conference()
--         ^^^^^^^^^^ unknown-verb: there is no verb call:conference
    c:from()
--    ^^^^ unknown-verb: call.from is a value, not a verb (write call.from)
    c:answer()
  end)
-- case: the call is followed into functions
  local function ring(who, number)
    who:dail("ext/" .. number)
--      ^^^^ unknown-verb: there is no verb call:dail (did you mean call:dial?)
  end
  route("1", function(c)
    ring(c, 101)
  end)
-- case: and into functions of other files
  local lib = require "lib"
  route("1", function(c)
    lib.ring(c)
  end)
-- file: lib.lua
  local M = {}
  function M.ring(who)
    who:dail("ext/101")
--      ^^^^ unknown-verb: there is no verb call:dail (did you mean call:dial?)
  end
  return M
-- case: what a library does not have
  route("1", function(call)
    local s = string.fnd("abc", "b")
--                   ^^^ unknown-function: there is no function string.fnd (did you mean string.find?)
    local pi = math.pie
--                  ^^^ unknown-field: there is no math.pie (did you mean math.pi?)
    local now = time.noon()
--                   ^^^^ unknown-function: there is no function time.noon
    local upper = call.from.user:uper()
--                               ^^^^ unknown-function: a string has no function uper (did you mean :upper?)
    log.inform("x", s, pi, now, upper)
--      ^^^^^^ unknown-function: there is no function log.inform (did you mean log.info?)
    call:busy()
  end)
-- case: values that are never there
  route("1", function(call)
    local result = call:dial("ext/101")
    if result.stauts == "BUSY" then call:busy() end
--            ^^^^^^ unknown-field: there is never a .stauts here (did you mean .status?)
    if call.from.usr == "101" then call:busy() end
--               ^^^ unknown-field: there is never a .usr here (did you mean .user?)
    if call.form then call:busy() end
--          ^^^^ unknown-field: call has no "form" (did you mean call.from?)
  end)
-- case: words that a value never is
  route("1", function(call)
    local result = call:dial("ext/101")
    if result.status == "ANSWERD" then call:play("bye") end
--                      ^^^^^^^^^ never-equal: this is never "ANSWERD" (did you mean "ANSWERED"?)
    if "OK" ~= call:voicemail("101") then call:play("bye") end
--     ^^^^ never-equal: this is never "OK" (it is one of SUCCESS, EMPTY, FAILED)
    local _, why = call:read()
    if why == "timout" then call:play("bye") end
--            ^^^^^^^^ never-equal: this is never "timout" (did you mean "timeout"?)
  end)
-- case: dots and colons
  route("1", function(call)
    call.play("welcome")
--       ^^^^ colon: call:play is called with a colon, not a dot (write call:play(...))
    call.play(call, "welcom")
--                  ^^^^^^^^ missing-prompt: call:play: no prompt "welcom"; did you mean "welcome"?
    log:info("x")
--      ^^^^ colon: log.info is called with a dot, not a colon (write log.info(...))
    string:rep(3)
--         ^^^ colon: string.rep is called with a dot, not a colon (write string.rep(...))
    log.info.x = 1
  end)
-- case: what cannot be set
  route("1", function(call)
    call.language = "en"
--       ^^^^^^^^ read-only: call.language cannot be set (values of your own go into call.vars)
    string.trim = function() end
--         ^^^^ read-only: string.trim cannot be set
    time.zone = "x"
--       ^^^^ read-only: time.zone cannot be set
    call:busy()
  end)
-- case: arguments too few and too many
  route("1", function(call)
    call:dial()
--       ^^^^ missing-argument: call:dial: to is missing; expected "ext/...", "sip:...", {to=...}, or a list of these
    call:dial(nil)
--            ^^^ missing-argument: call:dial: to is missing; expected "ext/...", "sip:...", {to=...}, or a list of these
    call:answer(1)
--              ^ too-many-arguments: call:answer: too many arguments (write call:answer())
    call:play("welcome", { barge = true }, 3)
--                                         ^ too-many-arguments: call:play: too many arguments (write call:play(sounds, { options }))
    call:sleep()
--       ^^^^^ missing-argument: call:sleep: seconds is missing; expected seconds (a number)
    call:reject()
--       ^^^^^^ missing-argument: call:reject: code is missing; expected a whole number
--       ^^^^^^ wrong-order: call:reject comes after the call was answered, so it only hangs up (write it before the call is answered; to end an answered call, write call:hangup())
  end)
-- case: wrong types
  route("1", function(call)
    call:play(true)
--            ^^^^ wrong-type: call:play: sounds: expected a prompt name, "tone:...", "silence:...", {speak=...} or a list of these, got a boolean
    call:play({ "welcome", {} , false })
--                         ^^ wrong-type: call:play: sounds: expected a prompt name, "tone:..." or "silence:...", got a table
--                              ^^^^^ wrong-type: call:play: sounds: expected a prompt name, "tone:..." or "silence:...", got a boolean
    call:dial("ext/101", { timeout = "20" })
--                                   ^^^^ wrong-type: call:dial: timeout: expected seconds (a number), got a string
    call:dial("ext/101", 20)
--                       ^^ wrong-type: call:dial: expected a table of options, got a number
    call:dial(101)
--            ^^^ wrong-type: call:dial: to: expected "ext/...", "sip:...", {to=...}, or a list of these, got a number
    call:read { max = "4", terminator = true }
--                    ^^^ wrong-type: call:read: max: expected a whole number, got a string
--                                      ^^^^ wrong-type: call:read: terminator: expected one key (0-9, *, #, A-D) or false, got a boolean
    call:sleep("1")
--             ^^^ wrong-type: call:sleep: seconds: expected seconds (a number), got a string
    call:on_hangup("x")
--                 ^^^ wrong-type: call:on_hangup: function: expected a function, got a string
    call:menu { ["1"] = true, ["2"] = {} }
--                      ^^^^ wrong-type: call:menu: digits: expected a function, or the number of a route, got a boolean
--                                    ^^ wrong-type: call:menu: digits: expected a function, or the number of a route, got a table
    call:play("welcome", { barge = "yes" })
--                                 ^^^^^ wrong-type: call:play: barge: expected true or false, got a string
  end)
-- case: numbers out of range, and texts that do not say what they should
  route("1", function(call)
    call:read { max = 65, terminator = "##", match = { "1xx" } }
--                    ^^ wrong-value: call:read: max must be 1 to 64, not 65
--                                     ^^^^ wrong-value: call:read: terminator: expected one key (0-9, *, #, A-D) or false
--                                                     ^^^^^ wrong-value: call:read: "1xx": pattern letters are capitals: write "1XX"
    call:read { max = 2.5, terminator = 12 }
--                    ^^^ wrong-value: call:read: max: expected a whole number, got 2.5
--                                      ^^ wrong-value: call:read: terminator: expected one key (0-9, *, #, A-D) or false
    call:sleep(-1)
--             ^^ wrong-value: call:sleep: seconds must be 0 to 86400 seconds, not -1
    call:play("welcome", { gain = 99 })
--                                ^^ wrong-value: call:play: gain must be -60 to 12, not 99
    call:play("tone:5")
--            ^^^^^^^^ wrong-value: call:play: "tone:5" is not a tone; write tone:HZ, tone:HZ+HZ/ON,OFF or tone:HZ:SECONDS, with 20 to 3900 Hz
    call:dial("101")
--            ^^^^^ wrong-value: call:dial: "101" is not a target; did you mean "ext/101"?
    call:dial({ "sip:", "ext/" })
--              ^^^^^^ wrong-value: call:dial: "sip:" is not a target; expected "ext/NAME" or "sip:USER@HOST"
--                      ^^^^^^ wrong-value: call:dial: "ext/" lacks the extension
    call:dial("ext/101", { caller = { usr = "x" } })
--                                    ^^^ unknown-option: call:dial: no key "usr"; did you mean "user"?
    if time.open("mo-fr 9-17") then call:busy() end
--               ^^^^^^^^^^^^ wrong-value: time.open: "mo" is not a day; days are mon tue wed thu fri sat sun
    call:say("x", { lang = "xx" })
--                         ^^^^ wrong-value: call:say: no language "xx"; there is "en"
    call:reject(200, "a\nb", { headers = { Via = "x", ["a b"] = "y" } })
--              ^^^ wrong-value: call:reject: code must be 400 to 699, not 200
--                   ^^^^^^ wrong-value: call:reject: reason has a line end or another control character in it
--                                         ^^^ wrong-value: call:reject: the header Via cannot be set by a script
--                                                     ^^^^^ wrong-value: call:reject: a header name has characters that cannot stand there
  end)
  route("2", function(call)
    call:redirect({ "http://x", { uri = "sip:a@b", p = 1 } }, { code = 500 })
--                  ^^^^^^^^^^ wrong-value: call:redirect: "http://x" is not a URI; expected sip:..., sips:... or tel:...
--                                                 ^ unknown-option: call:redirect: no key "p"; did you mean "q"?
--                                                                     ^^^ wrong-value: call:redirect: code must be 300 to 380, not 500
  end)
-- case: options
  route("1", function(call)
    call:play("welcome", { bargein = true })
--                         ^^^^^^^ unknown-option: call:play: no option "bargein"; did you mean "barge"?
    call:play("welcome", { true })
--                         ^^^^ unknown-option: call:play: options have names, but this one has none
    call:answer { now = true }
--              ^^^^^^^^^^^^^^ too-many-arguments: call:answer: too many arguments (write call:answer())
    call:menu { promt = "menu", ["1a"] = print, ["1"] = print, prompt = "menu" }
--              ^^^^^ unknown-option: call:menu: no option "promt"; did you mean "prompt"?
--                               ^^^^ unknown-option: call:menu: no option "1a"; there are prompt, timeout, between, terminator, tries, invalid, otherwise
    local options = { timout = 3, tries = 2, [1] = print }
--                    ^^^^^^ unknown-option: call:menu: no option "timout"; did you mean "timeout"?
    call:menu(options)
    call:hangup("bussy")
--              ^^^^^^^ unknown-word: call:hangup: "bussy" is not known here; did you mean "busy"?
  end)
  route("2", { pubic = true }, function(call) call:busy() end)
--             ^^^^^ unknown-option: route: no option "pubic"; did you mean "public"?
-- case: values are followed through constants, and through both sides of a choice
  local office = "10" .. 7
  local greeting = "welcom"
--                 ^^^^^^^^ missing-prompt: call:play: no prompt "welcom"; did you mean "welcome"?
  local prompts = { night = "nigth" }
--                          ^^^^^^^ missing-prompt: call:play: no prompt "nigth" (nor "en/nigth") in the prompts folder
  route("1", function(call)
    local who = call.account and "ext/103" or "ext/101"
--                               ^^^^^^^^^ unknown-extension: call:dial: there is no extension "103"; did you mean "101"?
    call:dial("ext/" .. office)
--            ^^^^^^^^^^^^^^^^ unknown-extension: call:dial: there is no extension "107"; did you mean "101"?
    call:play(greeting)
    call:dial(who)
    call:play(prompts.night)
    call:play(call.account and "menu" or "menue")
--                                       ^^^^^^^ missing-prompt: call:play: no prompt "menue"; did you mean "menu"?
  end)
-- case: a key given twice
  route("1", function(call)
    call:menu {
      ["1"] = function() call:play("welcome") end,
      ["2"] = function() call:play("bye") end,
      ["1"] = function() call:busy() end,
--     ^^^ double-key: the key "1" was given a value above already (only this one counts; delete one of them)
    }
  end)

-- case: what cannot be counted with, joined or compared
  route("1", function(call)
    local result = call:dial("ext/" + call.to.user)
--                           ^^^^^^ wrong-type: this cannot be calculated: "ext/" is not a number (to join texts, write .. instead of +)
    log.info("it is " .. result)
--                       ^^^^^^ wrong-type: a table cannot be joined to a text (it has status, code, reason, secs, to)
    log.info("open: " .. (result.code == 200))
--                       ^^^^^^^^^^^^^^^^^^^^ wrong-type: a boolean cannot be joined to a text (write tostring(...))
    if "5" < 6 then call:busy() end
--     ^^^ wrong-type: a string cannot be compared with a number in size (write tonumber(...))
    if result == "BUSY" then call:busy() end
--               ^^^^^^ never-equal: this is a table, never "BUSY" (its .status is)
    if not result.status == "BUSY" then call:busy() end
--                          ^^^^^^ never-equal: not counts for the left side alone, so this is never equal (to say that they differ, write ~= and leave out not)
    log.info("5" + 1, "0x10" * 2, 1 .. "a", 1 < 2, "a" < "b")
  end)
-- case: loops and lists
  route("1", function(call)
    local targets = { "ext/101", "ext/102" }
    call:dial(targets[0])
--                    ^ unknown-field: there is nothing at 0 in a list (the first of a list is at 1)
    for _, target in targets do call:dial(target) end
--                   ^^^^^^^ wrong-type: a loop cannot go through a table itself (write ipairs(...) for a list, or pairs(...))
    for n in 3 do call:say(n) end
--           ^ wrong-type: a loop cannot go through a number itself (to count, write for i = 1, n do)
    call:dial(targets[1])
  end)
-- case: a return in the middle
  route("1", function(call)
    call:answer()
    return
--  ^^^^^^ split-return: return runs what stands in the next line, to give that back (to end here, write do return end)
    call:dial("ext/101")
  end)
  local function sum(a, b)
    return
      tostring(a) .. b
  end
  route("2", function(call)
    call:say(sum(1, 2))
    return
      call:hangup()
  end)

-- case: locals that are given several values
  local night = time.open("mon-fri 18:00-08:00")
  route("1", function(call)
    local t = 20
    if night then t = "x" end
--                    ^^^ wrong-type: call:dial: timeout: expected seconds (a number), got a string
    call:dial("ext/101", { timeout = t })
    local prompt = "welcom"
--                 ^^^^^^^^ missing-prompt: call:play: no prompt "welcom"; did you mean "welcome"?
    if night then
      prompt = "bye"
    elseif call.account then
      prompt = "menue"
--             ^^^^^^^ missing-prompt: call:play: no prompt "menue"; did you mean "menu"?
    end
    call:play(prompt)
    prompt = "en"
    prompt = prompt .. "/broke"
--           ^^^^^^^^^^^^^^^^^^ missing-prompt: call:play: no prompt "en/broke"; did you mean "en/broken"?
    call:play(prompt)
  end)
-- case: options that are put together
  route("1", function(call)
    local options = {}
    options.timeuot = 3
--          ^^^^^^^ unknown-option: call:dial: no option "timeuot"; did you mean "timeout"?
    if call.account then options.music = "music/evning" end
--                                       ^^^^^^^^^^^^^^ missing-prompt: call:dial: no prompt "music/evning"; did you mean "music/evening"?
    call:dial("ext/101", options)
  end)
