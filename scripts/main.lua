-- The dialplan starts here. Each line below brings in one small file with the routes for some
-- numbers: read it, change it, copy it. `README.md` beside this file explains the language.
--
--   100 to 199  the phones call each other, with voicemail     extensions.lua
--   *97, *98    listen to your mailbox, or to another one      mailbox.lua
--   0           a spoken menu                                  menu.lua
--   9           type digits and hear them read back            digits.lua
--   123         the time                                       clock.lua
--   302         send the caller's phone elsewhere              elsewhere.lua
--   600         hear yourself                                  echo.lua
--   700         wait in a queue with music                     queue.lua
--
-- A number that no route matches is refused with "404 Not Found"; no route is needed for that.

require "extensions"
require "mailbox"
require "menu"
require "digits"
require "clock"
require "elsewhere"
require "echo"
require "queue"
