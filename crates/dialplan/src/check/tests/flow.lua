-- case: what comes after the end of a call
  route("1", function(call)
    call:hangup()
    call:play("bye")
--  ^^^^^^^^^^^^^^^^ unreachable-code: this never runs (call:hangup() in line 2 ends the call)
    call:play("bye")
  end)
  route("2", function(call)
    if call.account then
      call:busy()
    else
      call:reject(403)
    end
    call:play("bye")
--  ^^^^^^^^^^^^^^^^ unreachable-code: this never runs (each branch above ends the call or leaves, the last one in line 10)
  end)
  route("3", function(call)
    if call.account then call:busy() call:play("bye") end
--                                   ^^^^^^^^^^^^^^^^ unreachable-code: this never runs (call:busy() in line 15 ends the call)
    call:answer()
    while true do
      call:play("welcome")
    end
    call:play("bye")
--  ^^^^^^^^^^^^^^^^ unreachable-code: this never runs (the loop in line 17 goes on until the call is over)
  end)
  route("4", function(call)
    do return call:busy() end
    call:play("bye")
--  ^^^^^^^^^^^^^^^^ unreachable-code: this never runs (call:busy() in line 23 ends the call)
  end)
  local function refuse(call)
    call:reject(403)
  end
  route("5", function(call)
    refuse(call)
    call:play("bye")
--  ^^^^^^^^^^^^^^^^ unreachable-code: this never runs (refuse() in line 30 ends the call)
  end)
  route("6", function(call)
    call:answer()
    for _ = 1, 3 do
      if call:read { max = 1 } then break end
      error("nothing typed")
      call:play("bye")
--    ^^^^^^^^^^^^^^^^ unreachable-code: this never runs (error() in line 37 leaves the function)
    end
  end)
-- case: verbs when the call is over
  route("1", function(call)
    call:on_hangup(function(cause)
      call:play("bye")
--         ^^^^ after-the-end: call:play comes when the call is over, and fails (http, db, log, shared and sleep work there; verbs belong before the end)
      if cause == "x" then spawn(function() call:sleep(2) end) end
--                                               ^^^^^ after-the-end: call:sleep comes when the call is over, and fails (write sleep(...), which needs no call)
      sleep(2)
      log.info(call.from.user)
      pbx.originate { to = "ext/101", run = function(other) other:play("bye") end }
    end)
    local function last() call:hangup() end
--                             ^^^^^^ after-the-end: call:hangup comes when the call is over, and fails (http, db, log, shared and sleep work there; verbs belong before the end)
    call:on_hangup(last)
    call:on("dtmf", function(digit) if digit == "1" then call:hangup() end end)
    call:dial("ext/101")
  end)
-- case: routes that do nothing for the caller
  route("1", function(call) end)
--                          ^^^ no-answer: the route ends here without having done anything for the caller (the caller is refused with 480 then; answer, dial, play something, or say why with call:reject(...))
  route("2", function(call)
    call:ringing()
    call:sleep(2)
  end)
--^^^ no-answer: the route ends here without having done anything for the caller (the caller is refused with 480 then; answer, dial, play something, or say why with call:reject(...))
  route("3", function(call)
    if time.open("mon-fri 9-17") then
      call:dial("ext/101")
    end
  end)
--^^^ no-answer: when time.open("mon-fri 9-17") is false, the route ends here without having done anything for the caller (the caller is refused with 480 then; answer, dial, play something, or say why with call:reject(...))
  route("4", function(call)
    local vip = call.from.user == "101"
    if not vip then
      if not call.account then return end
--                             ^^^^^^ no-answer: when call.account is false, the route ends here without having done anything for the caller (the caller is refused with 480 then; answer, dial, play something, or say why with call:reject(...))
      call:dial("ext/101")
    elseif time.hour > 12 then
      call:play("welcome")
    end
  end)
--^^^ no-answer: when time.hour > 12 is false, the route ends here without having done anything for the caller (the caller is refused with 480 then; answer, dial, play something, or say why with call:reject(...))
  local function greet(call)
    if call.account then call:play("welcome") end
  end
--^^^ no-answer: when call.account is false, the route ends here without having done anything for the caller (the caller is refused with 480 then; answer, dial, play something, or say why with call:reject(...))
  route("5", greet)
  route("6", function(call)
    greet(call)
  end)
--^^^ no-answer: the route ends here without having done anything for the caller (the caller is refused with 480 then; answer, dial, play something, or say why with call:reject(...))
-- case: verbs that come too late
  route("1", function(call)
    call:answer()
    call:ringing()
--       ^^^^^^^ wrong-order: call:ringing comes after the call was answered, so it does nothing (write it before the call is answered, or delete it)
    call:play("welcome")
    if call:read { max = 1 } == "1" then
      call:redirect("sip:100@example.org")
--         ^^^^^^^^ wrong-order: call:redirect comes after the call was answered, so it only hangs up (write it before the call is answered; to end an answered call, write call:hangup())
    end
    call:reject(486)
--       ^^^^^^ wrong-order: call:reject comes after the call was answered, so it only hangs up (write it before the call is answered; to end an answered call, write call:hangup())
  end)
  route("2", function(call)
    call:voicemail("101")
    call:busy()
--       ^^^^ wrong-order: call:busy comes after the call was answered, so it only hangs up (write it before the call is answered; to end an answered call, write call:hangup())
  end)
-- case: routes that go round in a circle
  route("10", function(call) call:go("11") end)
--                                   ^^^^ endless-go: the call goes round and round, from here to 11 and back (after 16 times it ends with an error; to do something again, use a loop)
  route("11", function(call) call:go("12") end)
  route("12", function(call) call:go("10") end)
  route("2X", function(call) call:go("20") end)
--                                   ^^^^ endless-go: the call goes round and round, from here to 20 and back (after 16 times it ends with an error; to do something again, use a loop)
  local function again(call) call:go(30) end
--                                   ^^ circular-go: going on to 30 from here can lead back here, round and round (after 16 times it ends with an error; to do something again, use a loop)
  route("30", function(call)
    call:answer()
    call:play("welcome")
    again(call)
  end)
  route("40", function(call)
    call:menu {
--       ^^^^ circular-go: going on to 41 from here can lead back here, round and round (after 16 times it ends with an error; to do something again, use a loop)
      prompt = "menu",
      ["1"] = "41",
      ["2"] = function() call:play("bye") end,
    }
  end)
  route("41", function(call)
    call:play("welcome")
    if call.account then call:go("40") end
  end)
