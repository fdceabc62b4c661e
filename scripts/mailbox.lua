-- Listening to voicemail. The switch asks for the PIN and speaks the choices.

-- The caller's own mailbox. `call.account` is who the phone proved to be with its password; it is
-- nil for somebody who needed none.
route("*97", function(call)
  if call.account then
    call:mailbox(call.account)
  else
    call:go("*98")
  end
end)

-- Any mailbox: the caller is asked for its number first.
route("*98", function(call)
  call:mailbox()
end)
