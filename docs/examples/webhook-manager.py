#!/usr/bin/env python3
"""A manager that takes requests for moves by HTTP, as docs/actuators.md has it, to try things with.

    python3 webhook-manager.py [PORT [COMMAND...]]

COMMAND is run for each move, with the guest, the host that it leaves and the host that it goes to as its last arguments; its
exit status says whether the move went well. Without one, moves take three seconds and go well. What was asked is forgotten
when this ends; a real manager keeps it on a disk.
"""

import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
COMMAND = sys.argv[2:]
NAMES = ("id", "guest", "from", "to", "do")

lock = threading.Lock()
moves = {}  # by their key: what was asked, and how it stands


def carry_out(move):
    asked = move["asked"]
    if COMMAND:
        done = subprocess.run([*COMMAND, asked["guest"], asked["from"], asked["to"]], check=False).returncode == 0
    else:
        time.sleep(3)
        done = True
    with lock:
        move["state"] = "confirmed" if done else "failed"
    print(f"{asked['id']}: {asked['from']} -> {asked['to']}: {move['state']}", flush=True)


class Manager(BaseHTTPRequestHandler):
    def do_POST(self):
        key = self.headers.get("Idempotency-Key")
        try:
            asked = json.loads(self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 65536)))
        except ValueError:
            asked = None
        if self.path != "/moves" or key is None or not isinstance(asked, dict) or not all(
            isinstance(asked.get(name), str) for name in NAMES
        ):
            return self.answer(400, {"reason": "POST /moves, an Idempotency-Key, and what is to be moved"})
        with lock:
            move = moves.get(key)
            if move is None:
                busy = [m for m in moves.values() if m["asked"]["guest"] == asked["guest"] and m["state"] == "accepted"]
                if busy:
                    return self.answer(409, {"reason": f"{busy[0]['asked']['id']} is under way"})
                # It is known before it begins: whoever asks again finds it.
                move = moves[key] = {"asked": asked, "state": "accepted"}
                threading.Thread(target=carry_out, args=(move,), daemon=True).start()
            elif move["asked"] != asked:
                return self.answer(422, {"reason": "this key was used for another move"})
            state = move["state"]
        self.answer(202, {"state": state, "status_url": f"/moves/{key}"})

    def do_GET(self):
        with lock:
            move = moves.get(self.path.removeprefix("/moves/"))
            state = move and move["state"]
        self.answer(200 if move else 404, {"state": state} if move else {"reason": "no such move"})

    def answer(self, status, said):
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Manager)
    print(f"listening at http://127.0.0.1:{server.server_address[1]}/moves", flush=True)
    server.serve_forever()
