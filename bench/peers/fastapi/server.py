"""The job as a team writes it in Python: verify with Stripe's own package, publish, answer once the broker has confirmed.

AMQP_URL, QUEUE and SECRET say where to and with what. Prints where it listens and ends once its input does.
"""

import asyncio
import os
import socket
import sys
from contextlib import asynccontextmanager

import aio_pika
import stripe
import uvicorn
from fastapi import FastAPI, Request, Response

AMQP_URL, QUEUE, SECRET = (os.environ[name] for name in ("AMQP_URL", "QUEUE", "SECRET"))


@asynccontextmanager
async def lifespan(app: FastAPI):
    connection = await aio_pika.connect_robust(AMQP_URL, reconnect_interval=0.5)
    channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
    await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
    app.state.exchange = channel.default_exchange
    yield
    await connection.close()


app = FastAPI(lifespan=lifespan)


@app.post("/webhooks/stripe/{account}")
async def webhook(request: Request) -> Response:
    body = await request.body()
    try:
        event = stripe.Webhook.construct_event(body, request.headers.get("stripe-signature", ""), SECRET)
    except (ValueError, stripe.SignatureVerificationError):
        return Response(status_code=400)
    message = aio_pika.Message(body, message_id=event.id, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
    try:
        await app.state.exchange.publish(message, routing_key=QUEUE, mandatory=True, timeout=5)
    except Exception:  # Whatever it was: not confirmed is not kept.
        return Response(status_code=503)
    return Response(status_code=200)


async def main() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.02)
    print("127.0.0.1:%d" % listening.getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.should_exit = True
    await serving


asyncio.run(main())
