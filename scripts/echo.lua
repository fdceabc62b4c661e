-- Hear yourself: tells whether sound gets through in both directions, and how late it is.

route("600", function(call)
  call:answer()
  call:play("main/echo-intro")
  call:echo() -- until the caller presses # or hangs up
  call:play { "main/echo-end", "main/goodbye" }
end)
