-- Tells the caller's phone to try another address, with "302 Moved Temporarily". The phone then
-- calls extension 100 by itself, and this switch has nothing more to do with the first call.

route("302", function(call)
  call:redirect("sip:100@" .. call.to.host)
end)
