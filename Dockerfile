# gansynth in a container, for the CPU: `docker build -t gansynth .`, then, in the folder of your images,
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD":/data gansynth generate pbc-64 --class promyelocyte --count 100 --out synthetic
# For a GPU build with `--build-arg TORCH_INDEX=` (torch's own default), and run with `--gpus all`.
ARG PYTHON=3.12
FROM python:${PYTHON}-slim AS build
WORKDIR /src
COPY setup.cfg ./
RUN python -c "import configparser; c = configparser.RawConfigParser(); c.read('setup.cfg'); print(c['options']['install_requires'])" > /requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY gansynth gansynth
COPY models models
RUN pip install --no-cache-dir --no-deps --prefix=/installed .

FROM python:${PYTHON}-slim
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# The libraries have a layer of their own, which stays while what gansynth requires stays; its code changes the last.
COPY constraints.txt /
COPY --from=build /requirements.txt /
RUN pip install --no-cache-dir -c /constraints.txt ${TORCH_INDEX:+--extra-index-url $TORCH_INDEX} -r /requirements.txt
# `--user` may be anybody, whom the image does not know: what libraries ask of a user is named here.
RUN useradd --create-home gansynth && chmod 1777 /home/gansynth && mkdir /data && chmod 1777 /data
ENV HOME=/home/gansynth USER=gansynth
COPY --from=build /installed /usr/local
USER gansynth
WORKDIR /data
ENTRYPOINT ["gansynth"]
CMD ["--help"]
