-- A small queue. The caller waits with music but is not answered ("182 Queued"), so that waiting
-- costs nothing; who gives up is simply gone.

route("700", function(call)
  -- The phone shows the place, and the music goes on while the script sleeps.
  call:queued { place = 2, music = "music/evening" }
  call:sleep(10)

  call:play("main/queue-busy")
  call:queued { place = 1, music = "music/evening" }
  call:sleep(10)

  -- Now it is the caller's turn: extension 100 rings (101 if 100 is who waits), and the caller goes
  -- on hearing music until somebody answers.
  local agent = call.account == "100" and "101" or "100"
  local result = call:dial("ext/" .. agent, { timeout = 20, music = "music/evening" })
  if result.status ~= "ANSWERED" then
    call:play { "main/queue-sorry", "main/goodbye" }
  end
end)
