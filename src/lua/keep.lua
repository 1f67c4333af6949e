-- A controller that lost its membership over a build it still runs takes it back, if deciding on it fell to itself, or if nobody
-- else can go on with it.
--
-- ARGV  controller, epoch, id, 1 if only its owner can go on with it (then whoever has to decide on it leaves it alone),
--       the number of the build that goes on ('0': whichever)
-- Answers  OK (also when it has it already) | FENCED (another decides, or has decided, on it; or it went back to the queue, and
--          stands for no build, or for another one) | NOTFOUND
though_full()
local controller, epoch, id = ARGV[1], ARGV[2], ARGV[3]
local me = controller .. ':' .. epoch
local v = load(id)
if not v then return {'NOTFOUND'} end
if not member(controller, epoch) then return {'FENCED'} end
if ARGV[5] ~= '0' and v[NUMBER] ~= ARGV[5] then return {'FENCED'} end
if (v[STATE] == 'S' or v[STATE] == 'R') and holds(v, controller, epoch, '0') then return {'OK'} end
if v[STATE] ~= 'O' or v[OWNER] ~= controller then return {'FENCED'} end
-- Without a reaper it was brought back into a Redis that had lost it, by somebody who did not know that it runs here.
if v[REAPER] ~= me and v[REAPER] ~= '' and ARGV[4] ~= '1' then return {'FENCED'} end
redis.call('HDEL', P .. 'orphan', id)
redis.call('SADD', P .. 'owned:' .. me, id)
save(id, v, STATE, 'R', EPOCH, epoch, REAPER, '', WHY, '')
event(id, v)
return {'OK'}
