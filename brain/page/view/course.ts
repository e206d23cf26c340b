import { runningCourse } from '../../core/estimate.ts';
import type { Migration } from '../../core/migration.ts';
import type { Course } from '../../core/course.ts';
import { throttleNow } from './row.ts';

/** The course the migration is on if nobody decides anything more; undefined when nothing moves. */
export function presentCourse(migration: Migration): Course | undefined {
  if (migration.phase !== 'moving' || migration.workingSet === undefined) return undefined;
  const course = runningCourse(migration);
  if (course === undefined) return undefined;
  const ordered = migration.orderedThrottlePercent / 100;
  return { ...course, throttles: [throttleNow(migration) / 100, ordered] };
}
