-- The speaking clock: tells the time until the caller has heard enough.

route("123", function(call)
  call:answer()
  for _ = 1, 20 do
    call:play("time/the-time-is")
    call:say(time.now(), { as = "time" })
    call:sleep(4)
  end
  call:play("main/goodbye")
end)
