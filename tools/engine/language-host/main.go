// `pulumi-language-nodejs` for machines where Pulumi's own is not to be had: the gRPC LanguageRuntime service that the Pulumi engine starts,
// twice a command, to run a Node.js program. tools/setup builds it beside a CLI built from Go modules; where that fails, host.js does the same and
// takes 0.3 s of a processor more each time. It announces no plugins: packages with a provider binary of their own (pulumi.resource in package.json)
// need Pulumi's own host.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// cmd/run exits with this code when it has told the user about the error itself.
const alreadyShown = 32

type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	// Of the engine.
	address string
	// The folder of the program's @pulumi/pulumi.
	sdk string

	lock sync.Mutex
	// Under way; they must not outlive this process.
	programs map[*os.Process]bool
}

// The nearest @pulumi/pulumi above a folder.
func findSdk(folder string) (string, error) {
	for at := folder; ; at = filepath.Dir(at) {
		found := filepath.Join(at, "node_modules/@pulumi/pulumi")
		if _, err := os.Stat(filepath.Join(found, "package.json")); err == nil {
			return filepath.EvalSymlinks(found)
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%s has no @pulumi/pulumi in reach: run npm install", folder)
		}
	}
}

var quoted = regexp.MustCompile(`(?:"[^"]*"|'[^']*'|\S)+`)

// Words of a `nodeargs` option; quotes keep blanks together, as in a shell.
func words(text string) []string {
	found := quoted.FindAllString(text, -1)
	for index, word := range found {
		found[index] = strings.NewReplacer(`"`, "", "'", "").Replace(word)
	}
	return found
}

// Run starts the program under the SDK's own cmd/run; the arguments and the environment are those of Pulumi's host.
func (h *host) Run(_ context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	info := request.GetInfo()
	options := info.GetOptions().AsMap()
	option := func(name string) string { text, _ := options[name].(string); return text }
	args := append(words(option("nodeargs")), filepath.Join(h.sdk, "cmd/run"))
	for _, flag := range [][2]string{
		{"monitor", request.GetMonitorAddress()},
		{"engine", h.address},
		{"organization", request.GetOrganization()},
		{"project", request.GetProject()},
		{"root-directory", info.GetRootDirectory()},
		{"stack", request.GetStack()},
		{"pwd", request.GetPwd()},
		{"parallel", strconv.Itoa(int(request.GetParallel()))},
	} {
		if flag[1] != "" {
			args = append(args, "--"+flag[0], flag[1])
		}
	}
	if request.GetDryRun() {
		args = append(args, "--dry-run")
	}
	args = append(append(args, info.GetEntryPoint()), request.GetArgs()...)

	config, secretKeys := request.GetConfig(), request.GetConfigSecretKeys()
	if config == nil {
		config = map[string]string{}
	}
	if secretKeys == nil {
		secretKeys = []string{}
	}
	configText, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	keysText, err := json.Marshal(secretKeys)
	if err != nil {
		return nil, err
	}
	program := exec.Command("node", args...)
	program.Stdout, program.Stderr = os.Stdout, os.Stderr
	program.Env = append(os.Environ(), "PULUMI_CONFIG="+string(configText), "PULUMI_CONFIG_SECRET_KEYS="+string(keysText))
	if typescript, said := options["typescript"].(bool); typescript || !said {
		program.Env = append(program.Env, "PULUMI_NODEJS_TYPESCRIPT=true")
	}
	if tsconfig := option("tsconfig"); tsconfig != "" {
		program.Env = append(program.Env, "PULUMI_NODEJS_TSCONFIG_PATH="+tsconfig)
	}

	h.lock.Lock()
	if err = program.Start(); err == nil {
		h.programs[program.Process] = true
	}
	h.lock.Unlock()
	if err != nil {
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("could not start Node.js: %v", err)}, nil
	}
	err = program.Wait()
	h.lock.Lock()
	delete(h.programs, program.Process)
	h.lock.Unlock()
	if err == nil {
		return &pulumirpc.RunResponse{}, nil
	}
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		return nil, err
	}
	if status, known := ended.Sys().(syscall.WaitStatus); known && status.Signaled() {
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("program was ended by %v", status.Signal())}, nil
	}
	if ended.ExitCode() == alreadyShown {
		return &pulumirpc.RunResponse{Bail: true}, nil
	}
	return &pulumirpc.RunResponse{Error: fmt.Sprintf("program exited with non-zero exit code: %d", ended.ExitCode())}, nil
}

// To all programs that run.
func (h *host) tell(signal os.Signal) {
	h.lock.Lock()
	defer h.lock.Unlock()
	for program := range h.programs {
		_ = program.Signal(signal)
	}
}

func (h *host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	h.tell(syscall.SIGINT)
	return &emptypb.Empty{}, nil
}

func (h *host) leave() {
	h.tell(syscall.SIGKILL)
	os.Exit(0)
}

func (h *host) Handshake(context.Context, *pulumirpc.LanguageHandshakeRequest) (*pulumirpc.LanguageHandshakeResponse, error) {
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: read(h.sdk).Version}, nil
}

func (h *host) GetRequiredPlugins(context.Context, *pulumirpc.GetRequiredPluginsRequest) (*pulumirpc.GetRequiredPluginsResponse, error) {
	return &pulumirpc.GetRequiredPluginsResponse{}, nil
}

func (h *host) GetRequiredPackages(context.Context, *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

func (h *host) RuntimeOptionsPrompts(context.Context, *pulumirpc.RuntimeOptionsRequest) (*pulumirpc.RuntimeOptionsResponse, error) {
	return &pulumirpc.RuntimeOptionsResponse{}, nil
}

func (h *host) About(context.Context, *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	version, err := exec.Command(node, "--version").Output()
	return &pulumirpc.AboutResponse{Executable: node, Version: strings.TrimSpace(string(version))}, err
}

type manifest struct {
	Version         string
	Dependencies    map[string]string
	DevDependencies map[string]string
}

// The package.json of a folder, empty where there is none.
func read(folder string) (found manifest) {
	if text, err := os.ReadFile(filepath.Join(folder, "package.json")); err == nil {
		_ = json.Unmarshal(text, &found)
	}
	return found
}

// GetProgramDependencies says what the nearest package.json above the program asks for, with the versions that are installed.
func (h *host) GetProgramDependencies(
	_ context.Context, request *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	folder := request.GetInfo().GetProgramDirectory()
	for ; ; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "package.json")); err == nil || folder == filepath.Dir(folder) {
			break
		}
	}
	wanted := read(folder)
	answer := &pulumirpc.GetProgramDependenciesResponse{}
	for _, names := range []map[string]string{wanted.Dependencies, wanted.DevDependencies} {
		for name := range names {
			if version := read(filepath.Join(folder, "node_modules", name)).Version; version != "" {
				answer.Dependencies = append(answer.Dependencies, &pulumirpc.DependencyInfo{Name: name, Version: version})
			}
		}
	}
	sort.Slice(answer.Dependencies, func(one, other int) bool {
		return answer.Dependencies[one].Name < answer.Dependencies[other].Name
	})
	return answer, nil
}

type installation struct {
	send func(text []byte) error
}

func (it installation) Write(text []byte) (int, error) { return len(text), it.send(text) }

func (h *host) InstallDependencies(
	request *pulumirpc.InstallDependenciesRequest, stream grpc.ServerStreamingServer[pulumirpc.InstallDependenciesResponse],
) error {
	folder := request.GetInfo().GetProgramDirectory()
	if folder == "" {
		folder = request.GetDirectory() //nolint:staticcheck // what an older engine says
	}
	npm := exec.Command("npm", "install")
	npm.Dir = folder
	// One at a time: a stream is not for two.
	var turn sync.Mutex
	say := func(answer *pulumirpc.InstallDependenciesResponse) error {
		turn.Lock()
		defer turn.Unlock()
		return stream.Send(answer)
	}
	npm.Stdout = installation{func(text []byte) error {
		return say(&pulumirpc.InstallDependenciesResponse{Stdout: text})
	}}
	npm.Stderr = installation{func(text []byte) error {
		return say(&pulumirpc.InstallDependenciesResponse{Stderr: text})
	}}
	if err := npm.Run(); err != nil {
		return fmt.Errorf("npm install ended: %w", err)
	}
	return nil
}

func main() {
	h := &host{programs: map[*os.Process]bool{}}
	for _, arg := range os.Args[1:] {
		if !strings.HasPrefix(arg, "-") {
			h.address = arg
		}
	}
	folder, err := os.Getwd()
	if err == nil {
		h.sdk, err = findSdk(folder)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	// The engine ends us with SIGINT; when it dies without, its end of our stdin closes.
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGINT, syscall.SIGTERM)
	go func() { <-ends; h.leave() }()
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); h.leave() }()

	server := grpc.NewServer(grpc.MaxRecvMsgSize(math.MaxInt32), grpc.MaxSendMsgSize(math.MaxInt32))
	pulumirpc.RegisterLanguageRuntimeServer(server, h)
	// The first line on stdout tells the engine where we listen.
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	if err = server.Serve(listener); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
