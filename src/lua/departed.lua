-- Notes since when controllers are gone that did not leave by themselves; forgets those that have been gone for a month.
--
-- ARGV  lease ms
-- Answers  OK
though_full()
for _, c in ipairs(redis.call('SMEMBERS', P .. 'homes')) do
  local home = P .. 'home:' .. c
  local epoch = redis.call('HGET', P .. 'member:' .. c, 'epoch')
  local known = redis.call('HMGET', home, 'at', 'gone')
  if epoch and member(c, epoch) then
    redis.call('HDEL', home, 'gone')
  elseif not known[1] or known[2] and now - tonumber(known[2]) > 30 * DAY * 1000 then
    redis.call('DEL', home, P .. 'reran:' .. c)
    redis.call('SREM', P .. 'homes', c)
  elseif not known[2] and now - tonumber(known[1]) > tonumber(ARGV[1]) then
    redis.call('HSET', home, 'gone', int(now))
  end
end
return {'OK'}
