-- Reads back what is typed: tells whether a phone's keys arrive.

route("9", function(call)
  call:answer()
  local digits = call:read { prompt = "main/enter-digits", max = 16, timeout = 8, terminator = "#" }
  if digits then
    call:play("main/you-entered")
    call:say(digits, { as = "digits" })
  else
    call:play("main/nothing-pressed")
  end
  call:play("main/goodbye")
end)
