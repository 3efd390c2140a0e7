/**
 * What a long job tells whoever watches. Rooms report through this and never print.
 * `task` names the job in a few words ("unpack the kernel"); `fraction` is 0..1 where it means something.
 */
export interface ProgressUpdate {
  readonly task: string;
  readonly detail?: string;
  readonly fraction?: number;
}

export type Progress = (update: ProgressUpdate) => void;

export const silent: Progress = () => undefined;
