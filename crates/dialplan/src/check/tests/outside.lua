-- case: prompts, in lists and in options
  route("1", function(call)
    call:play("welcom")
--            ^^^^^^^^ missing-prompt: call:play: no prompt "welcom"; did you mean "welcome"?
    call:play { "bye", "broken", "en/wellcome" }
--                     ^^^^^^^^ broken-prompt: call:play: "broken" cannot be played: it is no sound
--                               ^^^^^^^^^^^^^ missing-prompt: call:play: no prompt "en/wellcome"; did you mean "en/welcome"?
    call:read { prompt = "menue", invalid = { "nothing at all" } }
--                       ^^^^^^^ missing-prompt: call:read: no prompt "menue"; did you mean "menu"?
--                                            ^^^^^^^^^^^^^^^^ missing-prompt: call:read: no prompt "nothing at all" (nor "en/nothing at all") in the prompts folder
    call:menu { prompt = "x", invalid = "y", ["1"] = function() end }
--                       ^^^ missing-prompt: call:menu: no prompt "x" (nor "en/x") in the prompts folder
--                                      ^^^ missing-prompt: call:menu: no prompt "y" (nor "en/y") in the prompts folder
    call:dial("ext/101", { music = "music/morning" })
--                                 ^^^^^^^^^^^^^^^ missing-prompt: call:dial: no prompt "music/morning"; did you mean "music/evening"?
    call:queued { music = "music/evning" }
--                        ^^^^^^^^^^^^^^ missing-prompt: call:queued: no prompt "music/evning"; did you mean "music/evening"?
  end)
-- case: extensions, in lists and in tables
  route("1", function(call)
    call:dial("ext/103")
--            ^^^^^^^^^ unknown-extension: call:dial: there is no extension "103"; did you mean "101"?
    call:dial { "ext/101", { to = "ext/9", delay = 3 } }
--                                ^^^^^^^ unknown-extension: call:dial: there is no extension "9"
    call:dial { { "ext/101" }, { "ext/110" } }
--                               ^^^^^^^^^ unknown-extension: call:dial: there is no extension "110"; did you mean "101"?
    call:dial { to = "ext/1001" }
--                   ^^^^^^^^^^ unknown-extension: call:dial: there is no extension "1001"; did you mean "101"?
  end)
-- case: mailboxes
  route("1", function(call)
    call:voicemail("102")
--                 ^^^^^ unknown-mailbox: call:voicemail: there is no mailbox "102"; did you mean "101"?
    call:mailbox(101)
    call:mailbox(110)
--               ^^^ unknown-mailbox: call:mailbox: there is no mailbox "110"; did you mean "101"?
  end)
-- case: numbers that no route matches
  route("1", function(call)
    call:go("20")
--          ^^^^ no-route: call:go: no route matches "20"
    call:menu { ["1"] = "3", ["2"] = "11" }
--                      ^^^ no-route: call:menu: no route matches "3"; did you mean "1"?
  end)
  route("11", function(call) call:busy() end)
-- case: texts to be spoken
  route("1", function(call)
    local who = call.from.name
    call:speak("Hello " .. who, { voice = "anna", bareg = true })
--                                                ^^^^^ unknown-option: call:speak: no option "bareg"; did you mean "barge"?
    call:speak("  ")
--             ^^^^ wrong-value: call:speak: text is empty
    call:speak({ "welcome" })
--             ^^^^^^^^^^^^^ wrong-type: call:speak: text: expected a text to speak, got a table
    call:play { "welcme", { speak = "Hello", language = "de" } }
--              ^^^^^^^^ missing-prompt: call:play: no prompt "welcme"; did you mean "welcome"?
--                                           ^^^^^^^^ unknown-option: call:play: no key "language"; there are speak, lang, voice
    call:play { speak = true }
--                      ^^^^ wrong-type: call:play: speak: expected a text to speak, got a boolean
    call:play { { speak = "" }, "bye" }
--                        ^^ wrong-value: call:play: text is empty
    call:read { prompt = { speak = "Your number?", lang = "de" }, max = 1 }
    call:dial("ext/101", { music = { speak = "Please wait" } })
--                                 ^^^^^^^^^^^^^^^^^^^^^^^^^ wrong-type: call:dial: music: expected a prompt name, "tone:..." or "silence:...", got a table
  end)
-- case: texts to be spoken by nobody
  -- without [speech]
  route("1", function(call)
    call:speak(call.from.name)
--             ^^^^^^^^^^^^^^ no-speech: call:speak: nothing is configured that speaks texts (add a section [speech] with `command` or `url` to cordboard.toml)
    call:menu { prompt = { "welcome", { speak = "Press 1" } }, ["1"] = function() end }
--                                              ^^^^^^^^^ no-speech: call:menu: nothing is configured that speaks texts (add a section [speech] with `command` or `url` to cordboard.toml)
  end)
