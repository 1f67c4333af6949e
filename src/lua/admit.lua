-- Whether a controller may join: compares it with those that are members, and notes it for those that come later. Changes
-- nothing else; the controller joins right after it.
--
-- ARGV  controller, incarnation, name, host, place, likeness, keycheck, facts, lease ms,
--       1: it has a folder that it shares, id in that folder's mark ('': there is none), nonce that it has written there
--       ('': none yet, -: the folder was found to be shared before)
-- Answers  OK | KEY who... | TWIN who ms-left | UNLIKE who likeness | MARK (mark the folder, then ask again)
--          | FOLDER id (the cluster's folder has this one) | ASK who... (none of them has looked for the nonce yet)
--          | ELSEWHERE who (has looked and not found it)
though_full()
local controller, incarnation, shares, mark, nonce = ARGV[1], ARGV[2], ARGV[10] == '1', ARGV[11], ARGV[12]
local home = P .. 'home:' .. controller
local function called(c)
  local known = redis.call('HMGET', P .. 'home:' .. c, 'name', 'host')
  local name = known[1] or redis.call('HGET', P .. 'member:' .. c, 'name') or c
  return (known[2] or '') ~= '' and name .. ' on ' .. known[2] or name
end
local function all(word, whom)
  local answer = {word}
  for _, c in ipairs(whom) do answer[#answer + 1] = called(c) end
  return answer
end
local others, expiry = {}, nil
local living = redis.call('ZRANGEBYSCORE', P .. 'members', '(' .. int(now), '+inf', 'WITHSCORES')
for i = 1, #living, 2 do
  local c = string.match(living[i], '^[^:]*')
  if c == controller then expiry = living[i + 1] else others[#others + 1] = c end
end
local meta = redis.call('HMGET', KEYS[1], 'keycheck', 'folder')
if meta[1] and meta[1] ~= ARGV[7] then return all('KEY', others) end
local before = redis.call('HMGET', home, 'incarnation', 'place')
if expiry and before[1] and before[1] ~= incarnation and before[2] ~= ARGV[5] then
  return {'TWIN', called(controller), int(expiry - now)}
end
local looking = {}
for _, c in ipairs(others) do
  local other = redis.call('HMGET', P .. 'home:' .. c, 'likeness', 'shares')
  if other[1] and other[1] ~= ARGV[6] then return {'UNLIKE', called(c), other[1]} end
  if other[2] == '1' then looking[#looking + 1] = c end
end
if shares then
  if meta[2] and meta[2] ~= mark then return {'FOLDER', meta[2]} end
  if mark == '' then return {'MARK'} end
  if looking[1] and nonce ~= '-' then
    local vouch = P .. 'vouch'
    local seen = redis.call('HMGET', vouch, 'yes:' .. nonce, 'no:' .. nonce)
    if nonce ~= '' and not seen[1] and not seen[2] then
      redis.call('HSET', vouch, controller, nonce)
      redis.call('EXPIRE', vouch, 60)
    end
    if not seen[1] then return seen[2] and {'ELSEWHERE', seen[2]} or all('ASK', looking) end
    redis.call('HDEL', vouch, controller)
  end
  redis.call('HSET', KEYS[1], 'folder', mark)
end
redis.call('DEL', home, P .. 'reran:' .. controller)
redis.call('HSET', home, 'incarnation', incarnation, 'name', ARGV[3], 'host', ARGV[4], 'place', ARGV[5], 'likeness', ARGV[6],
  'facts', ARGV[8], 'shares', ARGV[10], 'at', int(now))
redis.call('SADD', P .. 'homes', controller)
return {'OK'}
