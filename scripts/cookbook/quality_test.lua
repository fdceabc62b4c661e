-- A test of the line: the caller hears themselves, which shows delay and echo; a steady tone of
-- 1,004 Hz, which must neither waver nor click; or silence, in which noise would be heard.
--
-- To change: the number (260), the length of the tone, the calls one account may make.

route("260", function(call)
  call:answer()
  call:on_hangup(function(cause)
    log.info("line of", call.account or call.from.user, "tested:", cause)
  end)
  repeat
    local key = call:menu {
      prompt = "cook/quality", timeout = 6, tries = 2, invalid = "main/invalid",
      ["1"] = function()
        call:play("main/echo-intro")
        call:echo()
        call:play("main/echo-end")
      end,
      ["2"] = function() call:play("tone:1004:10", { barge = true, gain = -6 }) end,
      ["3"] = function() call:play("silence:10", { barge = true }) end,
    }
  until not key
  call:play("main/goodbye")
  call:hangup()
end)
