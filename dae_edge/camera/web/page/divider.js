// A divider that is dragged with a pointer or a finger anywhere on the stage, or moved with the keyboard.

const STEPS = { ArrowLeft: -0.02, ArrowDown: -0.02, ArrowRight: 0.02, ArrowUp: 0.02, PageDown: -0.1, PageUp: 0.1 };

export class Divider {
  at = 0.5;  // from 0, all denoised, to 1, all camera

  constructor(stage, handle, moved) {
    this.stage = stage;
    this.handle = handle;
    this.moved = moved;
    stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      stage.setPointerCapture(event.pointerId);
      this.follow(event);
      handle.focus({ preventScroll: true, focusVisible: false });
      event.preventDefault();
    });
    stage.addEventListener("pointermove", (event) => {
      if (stage.hasPointerCapture(event.pointerId)) this.follow(event);
    });
    handle.addEventListener("keydown", (event) => {
      const target = { Home: 0, End: 1 }[event.key] ?? this.at + (STEPS[event.key] ?? NaN);
      if (Number.isNaN(target)) return;
      this.move(target);
      event.preventDefault();
    });
    this.move(this.at);
  }

  follow(event) {
    const { left, width } = this.stage.getBoundingClientRect();
    this.move((event.clientX - left) / width);
  }

  move(at) {
    this.at = Math.min(Math.max(at, 0), 1);
    const share = Math.round(100 * this.at);
    this.stage.style.setProperty("--at", this.at);
    this.handle.setAttribute("aria-valuenow", share);
    this.handle.setAttribute("aria-valuetext", `${share} % camera, ${100 - share} % denoised`);
    this.moved();
  }
}
