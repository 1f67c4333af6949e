-- A page of the live items, oldest first, and where the events stood when it was read.
--
-- ARGV  seq after which to go on (0 at first), with payloads (0/1)
-- Answers  last event id, last event number, seq to go on from ('': that was all), generation, (packed, payload, mac)...
local PAGE, BYTES = 500, 4194304
local last = redis.call('XREVRANGE', P .. 'events', '+', '-', 'COUNT', 1)[1]
local ids = redis.call('ZRANGEBYSCORE', P .. 'live', '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, PAGE)
local answer = {last and last[1] or '0-0', redis.call('GET', P .. 'eventno') or '0', #ids == 2 * PAGE and ids[#ids] or '',
  redis.call('HGET', KEYS[1], 'generation') or ''}
local bytes = 0
for i = 1, #ids, 2 do
  local id = ids[i]
  local v = ARGV[2] == '1' and load_whole(id) or load(id)
  if v then
    answer[#answer + 1] = pack(id, v)
    answer[#answer + 1] = v[PAYLOAD] or ''
    answer[#answer + 1] = v[MAC] or ''
    bytes = bytes + #(v[PAYLOAD] or '')
  end
  if bytes > BYTES and i + 1 < #ids then
    answer[3] = ids[i + 1]
    break
  end
end
return answer
