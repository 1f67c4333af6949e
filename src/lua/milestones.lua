-- Notes the milestone that a build of a job has passed, or forgets the build or the whole job, and lists those of the job's builds.
--
-- ARGV  controller, epoch, job, build number ('' for the whole job), the milestone ('' for one that has only begun, '-' to forget)
-- Answers  OK what was noted of the build before ('-' for nothing), (build number, milestone)... | FENCED
-- Keeps: milestones:<job> has the builds of the job that have not ended.
though_full()
if not member(ARGV[1], ARGV[2]) then return {'FENCED'} end
local key, build, milestone = P .. 'milestones:' .. ARGV[3], ARGV[4], ARGV[5]
if build == '' then
  redis.call('DEL', key)
  return {'OK', '-'}
end
local before = redis.call('HGET', key, build)
if milestone == '-' then
  redis.call('HDEL', key, build)
else
  redis.call('HSET', key, build, milestone)
end
local answer = {'OK', before or '-'}
for _, value in ipairs(redis.call('HGETALL', key)) do
  answer[#answer + 1] = value
end
return answer
